import { startSimulator } from '@mai/lmstudio-simulator';
import type { QualityUse } from '@mai/model-config';
import { openAutopilotWorld, GIB, type AutopilotWorld } from '../../test/autopilot-world.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';
import { valuesHere } from '../compare/values-here.js';

// Of these two, one has the better published results in general, and the other in coding.
const BETTER_IN_GENERAL = 'google/gemma-3-12b';
const BETTER_IN_CODING = 'microsoft/phi-4';
const KEYS = [BETTER_IN_GENERAL, BETTER_IN_CODING];

let world: AutopilotWorld;
beforeEach(async () => {
  world = await openAutopilotWorld({
    models: KEYS.map((key) => ({
      key,
      category: 'medium' as const,
      context_window: 4096,
      capabilities: ['chat' as const, 'coding' as const],
    })),
    fallback_chains: {
      default: ['downloaded:chat'],
      coding: ['downloaded:coding', 'chain:default'],
      mixed: [BETTER_IN_GENERAL, 'downloaded:coding'],
    },
  });
});
afterEach(() => world[Symbol.asyncDispose]());

async function withHost(use: (host: Host, url: string) => Promise<void>): Promise<void> {
  await using simulator = await startSimulator({
    speed: 500,
    world: {
      machine: { ramBytes: 64 * GIB, gpus: [] },
      models: KEYS.map((modelKey) => ({
        modelKey,
        sizeBytes: 8 * GIB,
        maxContextLength: 8192,
        quantization: { name: 'Q4_K_M', bits: 4 },
      })),
      guardrails: { mode: 'off' },
    },
  });
  await using host = await openHost({ ...world.options, url: simulator.httpUrl });
  await use(host, simulator.httpUrl);
}

test('a derived chain is ordered by the quality of its use', async () => {
  await withHost(async (host) => {
    const chosen = async (request: Parameters<Host['select']>[0]) =>
      (await host.select(request)).selection.chosen?.modelKey;
    expect(await chosen({})).toBe(BETTER_IN_GENERAL);
    expect(await chosen({ chain: 'coding' })).toBe(BETTER_IN_CODING);
    const requirement = { capabilities: ['coding'], minContextLengthTokens: null, tiers: null };
    expect(await chosen({ requirement })).toBe(BETTER_IN_CODING);
  });
});

test('every model of a chain has the quality of one use, so that figures can be compared', async () => {
  await withHost(async (host) => {
    const { input } = await host.select({ chain: 'mixed' });
    const qualities = input.candidates.map(({ loadOptions }) => loadOptions[0]?.quality ?? 0);
    expect(input.candidates.map(({ modelKey }) => modelKey)).toEqual(KEYS);
    expect(qualities[1]).toBeGreaterThan(qualities[0] ?? 1);
  });
});

test('the list and the comparison of models for coding have the qualities for coding', async () => {
  await withHost(async (host) => {
    const best = async (capabilities: readonly 'coding'[]) => {
      const { models } = await host.models({ capabilities });
      const { models: compared, use } = await host.compare({ capabilities });
      const sorted = [...models].sort((a, b) => (b.quality ?? 0) - (a.quality ?? 0));
      expect(compared[0]?.quality).toBe(sorted[0]?.quality);
      expect(compared[0]?.modelKey).toBe(sorted[0]?.profile.modelKey);
      return [use, compared[0]?.modelKey];
    };
    expect(await best([])).toEqual(['general', BETTER_IN_GENERAL]);
    expect(await best(['coding'])).toEqual(['coding', BETTER_IN_CODING]);
  });
});

test('the values by which a first configuration is ordered are those of the use', async () => {
  await withHost(async (_, url) => {
    const values = await valuesHere(world.parts({ url }), {});
    const better = (use: QualityUse) =>
      [...KEYS].sort((a, b) => (values?.(b, use) ?? 0) - (values?.(a, use) ?? 0))[0];
    expect(better('general')).toBe(BETTER_IN_GENERAL);
    expect(better('coding')).toBe(BETTER_IN_CODING);
  });
});
