import { startSimulator } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import { GIB, openAutopilotWorld } from '../../test/autopilot-world.js';
import { openHost } from '../open-host.js';

/** The built-in default chain names this model before all others of this test. Its published results are worse than those of `NEWER`. */
const NAMED_FIRST = 'openai/gpt-oss-20b';
/** The built-in chains do not name it. */
const NEWER = 'qwen/qwen3.5-9b';
const NAMED_LATER = 'microsoft/phi-4';
const MODELS = { [NAMED_LATER]: 9, [NEWER]: 6, [NAMED_FIRST]: 12 };

async function orderWith(config: ModelConfigFile) {
  await using world = await openAutopilotWorld();
  await using simulator = await startSimulator({
    speed: 500,
    world: {
      machine: { ramBytes: 64 * GIB, gpus: [] },
      models: Object.entries(MODELS).map(([modelKey, gib]) => ({
        modelKey,
        sizeBytes: gib * GIB,
        maxContextLength: 8192,
        quantization: { name: 'Q4_K_M', bits: 4 },
      })),
      guardrails: { mode: 'off' },
    },
  });
  await using host = await openHost({ ...world.options, config, url: simulator.httpUrl });
  const { input } = await host.select({});
  const { chains } = await host.serving.catalog();
  const { chains: told } = await host.fleetFacts();
  const orders = [
    input.candidates.map(({ modelKey }) => modelKey),
    chains['default'] ?? [],
    told['default'] ?? [],
  ].map((keys) => keys.filter((key) => key in MODELS));
  // The gateway and other machines prefer the same models as this machine.
  expect(orders.slice(1)).toEqual([orders[0], orders[0]]);
  return orders[0];
}

test('the built-in chain is ordered by value, so a newer model that it does not name may come first', async () => {
  expect(await orderWith({ version: 1 })).toEqual([NEWER, NAMED_FIRST, NAMED_LATER]);
});

test('a chain that a person has written keeps its order', async () => {
  const chain = [NAMED_FIRST, NAMED_LATER, 'downloaded:chat'];
  expect(await orderWith({ version: 1, fallback_chains: { default: chain } })).toEqual([
    NAMED_FIRST,
    NAMED_LATER,
    NEWER,
  ]);
});
