// Tests a program that uses LM Studio, without LM Studio: node --test examples/test-with-the-simulator.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';

/** The program under test: tries the models in order and keeps the first that loads. */
async function loadFirst(client, modelKeys) {
  for (const modelKey of modelKeys) {
    const loaded = await client.load({ modelKey, identifier: 'mine' }).catch(() => null);
    if (loaded !== null) return loaded.instance.modelKey;
  }
  return null;
}

test('falls back to the smaller model when the engine crashes', async () => {
  const simulator = await startSimulator({ speed: 1000 });
  simulator.fault.crashLoad({ modelKey: 'qwen/qwen3-8b', atProgress: 0.7, times: 1 });
  const client = await connect({ baseUrl: simulator.baseUrl });
  assert.equal(await loadFirst(client, ['qwen/qwen3-8b', 'qwen/qwen3-4b']), 'qwen/qwen3-4b');
  assert.equal(simulator.residents().length, 1);
  await client.close();
  await simulator.stop();
});
