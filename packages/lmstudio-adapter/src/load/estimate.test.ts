import { startSimulator } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { connect } from '../client/connect.js';

test('the estimate is null for a model that LM Studio refuses to estimate', async () => {
  // The SDK refuses control characters, and counts the joiner in an emoji as one.
  const modelKey = 'family/\u{1f469}\u200d\u{1f469}\u200d\u{1f467}';
  await using simulator = await startSimulator({
    world: { models: [{ modelKey, sizeBytes: 1 << 30 }] },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  expect((await client.listDownloaded()).models).toMatchObject([{ modelKey }]);
  expect(await client.estimate(modelKey, DEFAULT_LOAD_CONFIG, { kind: 'llm' })).toBeNull();
});

test('throws for a model that is not downloaded', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await expect(client.estimate('no/such-model', DEFAULT_LOAD_CONFIG)).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
  });
});
