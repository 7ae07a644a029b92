import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LMStudioClient } from '@lmstudio/sdk';
import { startSimulator } from '@mai/lmstudio-simulator';
import { writeNoiseModel } from '@mai/llama-runtime';
import { openAutopilotWorld, GIB, type AutopilotWorld } from '../../test/autopilot-world.js';
import { openHost } from '../open-host.js';
import { openSpeedStore } from '../speeds/speed-store.js';

jest.setTimeout(60_000);

const KEY = 'acme/real';
const FILE = 'acme/Real-GGUF/Real-Q4_K_M.gguf';
const PROMPT = 'the patient is called Ada';

let world: AutopilotWorld;
beforeEach(async () => {
  world = await openAutopilotWorld({
    models: [{ key: KEY, category: 'small', context_window: 4096, capabilities: ['chat'] }],
    fallback_chains: { default: [KEY] },
  });
  const file = path.join(world.folder, '.lmstudio', 'models', FILE);
  mkdirSync(path.dirname(file), { recursive: true });
  await writeNoiseModel(file, { name: 'real', seed: 1, layers: 2, width: 256 });
});
afterEach(() => world[Symbol.asyncDispose]());

function measured() {
  const store = openSpeedStore(world.parts().context);
  return store.measurements().flatMap((one) => (one.kind === 'tokens' ? [one] : []));
}

test('answers of other programs in LM Studio’s log are learned once, without a text', async () => {
  await using simulator = await startSimulator({
    speed: 20,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [{ modelKey: KEY, path: FILE, sizeBytes: GIB, maxContextLength: 8192 }],
      guardrails: { mode: 'off' },
    },
  });
  await using host = await openHost({ ...world.options, url: simulator.httpUrl });
  await using _autopilot = await host.startAutopilot({});
  await using client = new LMStudioClient({ baseUrl: simulator.baseUrl });
  while (simulator.residents().length === 0) await sleep(20);
  const [resident] = simulator.residents();
  if (resident === undefined) throw new Error('Nothing is loaded.');
  const model = await client.llm.model(resident.instanceIdentifier);
  const { stats } = await model.respond(PROMPT, { maxTokens: 40 });
  while (measured().length === 0) await sleep(50);
  const { predictedTokensCount = 0, promptTokensCount = 0, tokensPerSecond = 0 } = stats;
  expect(measured()).toMatchObject([
    {
      modelKey: KEY,
      observation: {
        test: 'decode',
        generatedTokens: predictedTokensCount,
        depthTokens: promptTokensCount,
        tokensPerSecond,
      },
    },
  ]);
  expect(JSON.stringify(measured())).not.toContain('Ada');
  // The gateway reports the same answer.
  const told = {
    modelKey: KEY,
    instanceIdentifier: resident.instanceIdentifier,
    prompt: null,
    output: { tokens: predictedTokensCount - 1, ms: 800 },
    depthTokens: promptTokensCount,
  };
  await host.serving.measured(told);
  await host.serving.measured({ ...told, output: { tokens: 70, ms: 2000 } });
  while (measured().length < 2) await sleep(50);
  expect(measured().map(({ observation }) => observation)).toMatchObject([
    { generatedTokens: predictedTokensCount },
    { generatedTokens: 70 },
  ]);
});
