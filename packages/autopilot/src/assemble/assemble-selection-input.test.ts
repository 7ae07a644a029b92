import { DEFAULT_LOAD_CONFIG, type GpuResources, type LoadConfig } from '@mai/memory-ledger';
import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { NO_ESTIMATE } from '../ports/estimator-port.js';
import type { EstimatorPort } from '../ports/estimator-port.js';
import { assembleSelectionInput } from './assemble-selection-input.js';
import type { LoadStep } from './load-steps.js';

const LARGE = { modelKey: 'large', bytes: 18 * GIB, kvBytes: 4 * GIB };
const SMALL = { modelKey: 'small', bytes: 4 * GIB, kvBytes: GIB };
const CARD: GpuResources = {
  deviceKey: 'card',
  name: null,
  vendor: null,
  memory: 'dedicated',
  totalBytes: 24 * GIB,
  availableBytes: 24 * GIB,
};
const kindOf = ({ tradeOffs }: LoadStep) => tradeOffs[0]?.kind ?? 'as-configured';

describe('assembleSelectionInput', () => {
  it('lists the load options of the chain, the best first, each with its footprint', async () => {
    const { ports } = new FakeWorld([LARGE, SMALL]);
    const input = await assembleSelectionInput(ports);
    expect(input.candidates.map((candidate) => candidate.modelKey)).toEqual(['large', 'small']);
    expect(
      input.candidates[0]?.loadOptions.map((option) => [
        kindOf(option),
        (option.footprint?.ram.anonymousBytes ?? 0) / GIB,
      ]),
    ).toEqual([
      ['as-configured', 18],
      ['shorter-context', 16],
      ['kv-cache-type', 14 + 2 * (8.5 / 16)],
      ['kv-cache-type', 14 + 2 * (4.5 / 16)],
    ]);
  });

  it('drops load options that reduce no charge', async () => {
    const { ports } = new FakeWorld([{ modelKey: 'fixed', bytes: GIB }]);
    const { candidates } = await assembleSelectionInput(ports);
    expect(candidates[0]?.loadOptions.map(kindOf)).toEqual(['as-configured']);
  });

  it('never moves experts of a dense model to the CPU, even where an estimate says that it helps', async () => {
    const world = new FakeWorld([LARGE]);
    const resources = { ...world.resources(), gpus: [CARD] };
    const { ports } = world;
    const monitor = { ...ports.monitor, snapshot: async () => resources };
    const expertsMoved = async (known: { readonly hasExperts?: boolean }) => {
      const estimator: EstimatorPort = {
        estimate: async (question, options) => {
          const estimate = await ports.estimator.estimate(question, options);
          const { offloadRatio, cpuExpertRatio } = question.loadConfig;
          const bytes = 12 * GIB * (offloadRatio ?? 1) * (1 - (cpuExpertRatio ?? 0) / 8);
          const { footprint } = estimate;
          return {
            ...estimate,
            ...known,
            footprint: footprint && { ...footprint, gpus: [{ deviceKey: 'card', bytes }] },
          };
        },
      };
      const { candidates } = await assembleSelectionInput({ ...ports, monitor, estimator });
      const options = candidates.flatMap(({ loadOptions }) => loadOptions);
      return options.some(
        ({ loadConfig, tradeOffs }) =>
          loadConfig.cpuExpertRatio !== null ||
          tradeOffs.some(({ kind }) => kind === 'experts-on-cpu'),
      );
    };
    expect(await expertsMoved({})).toBe(true);
    expect(await expertsMoved({ hasExperts: true })).toBe(true);
    expect(await expertsMoved({ hasExperts: false })).toBe(false);
  });

  it('drops load options that the engine refuses, unless it refuses all of them', async () => {
    const { ports } = new FakeWorld([LARGE]);
    const kinds = async (refuses: (loadConfig: LoadConfig) => boolean) => {
      const estimator: EstimatorPort = {
        estimate: async (question, options) => ({
          ...(await ports.estimator.estimate(question, options)),
          refused: refuses(question.loadConfig),
        }),
      };
      const { candidates } = await assembleSelectionInput({ ...ports, estimator });
      expect(candidates[0]?.loadOptions[0]).not.toHaveProperty('refused');
      return candidates[0]?.loadOptions.map(kindOf);
    };
    expect(await kinds(({ kvCacheTypeK }) => kvCacheTypeK !== null)).toEqual([
      'as-configured',
      'shorter-context',
    ]);
    expect(await kinds(() => true)).toEqual(['as-configured']);
  });

  it('offers only the configured way where `tradeOffs` is false', async () => {
    const { ports } = new FakeWorld([LARGE]);
    const { candidates } = await assembleSelectionInput(ports, { tradeOffs: false });
    expect(candidates[0]?.loadOptions).toHaveLength(1);
  });

  it('puts downloaded smaller quantizations behind their model, largest first', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.models.set('large@q2', { modelKey: 'large@q2', bytes: 9 * GIB });
    world.models.set('large@q3', { modelKey: 'large@q3', bytes: 12 * GIB });
    world.models.set('large@q8', { modelKey: 'large@q8', bytes: 30 * GIB });
    world.variants = { large: ['large@q2', 'large@q8', 'large@q3', 'unknown'] };
    const { candidates } = await assembleSelectionInput(world.ports);
    expect(candidates.map((candidate) => candidate.modelKey)).toEqual([
      'large',
      'large@q3',
      'large@q2',
      'small',
    ]);
  });

  it('uses the configured estimate where there is no other estimate, and null where nothing is configured', async () => {
    const world = new FakeWorld();
    world.chain = [
      profile({ modelKey: 'claimed', bytes: 0 }, { minMemoryBytes: 4 * GIB }),
      profile({ modelKey: 'unknown', bytes: 0 }),
    ];
    const { candidates } = await assembleSelectionInput(world.ports);
    expect(candidates[0]?.loadOptions[0]?.footprint).toEqual({
      ram: { mappedBytes: 0, anonymousBytes: 4 * GIB },
      gpus: [],
      interval: null,
      growth: null,
      source: 'configured',
      confidence: 'low',
    });
    expect(candidates[1]?.loadOptions[0]?.footprint).toBeNull();
  });

  it.each([
    // Input: min_memory_gb, min_vram_gb, gpu_offload, memory of the GPU. Expected: GiB of RAM and of the GPU.
    ['the rest of min_memory_gb to RAM', 6, 4, null, 'dedicated', 2, [4]],
    ['only the GPU where all of it moves', 6, 6, null, 'dedicated', 0, [6]],
    ['only RAM where min_vram_gb is 0', 6, 0, null, 'dedicated', 6, []],
    ['only RAM where min_vram_gb is unknown', 6, null, null, 'dedicated', 6, []],
    ['only the GPU where only min_vram_gb is known', null, 4, null, 'dedicated', 0, [4]],
    ['min_vram_gb where min_memory_gb is less', 3, 4, null, 'dedicated', 0, [4]],
    ['half of min_vram_gb with half of the layers', 6, 4, 0.5, 'dedicated', 4, [2]],
    ['only RAM with no layers on the GPU', 6, 4, 0, 'dedicated', 6, []],
    ['only RAM where the GPU shares RAM', 6, 4, null, 'shared', 6, []],
    ['only RAM without a GPU', 6, 4, null, null, 6, []],
    ['RAM with min_vram_gb where only that is known', null, 4, null, null, 4, []],
  ] as const)(
    'charges a configured estimate to the right pools: %s',
    async (_, memoryGib, vramGib, offloadRatio, memory, ramGib, gpuGib) => {
      const world = new FakeWorld();
      const bytesOf = (gib: number | null) => (gib === null ? null : gib * GIB);
      world.chain = [
        profile(
          { modelKey: 'claimed', bytes: 0 },
          {
            minMemoryBytes: bytesOf(memoryGib),
            minVramBytes: bytesOf(vramGib),
            loadConfig: { ...DEFAULT_LOAD_CONFIG, offloadRatio },
          },
        ),
      ];
      const resources = {
        ...world.resources(),
        gpus: memory === null ? [] : [{ ...CARD, memory }],
      };
      const { candidates } = await assembleSelectionInput({
        ...world.ports,
        monitor: { ...world.ports.monitor, snapshot: async () => resources },
      });
      const footprint = candidates[0]?.loadOptions[0]?.footprint;
      expect(footprint?.ram).toEqual({ mappedBytes: 0, anonymousBytes: ramGib * GIB });
      expect(footprint?.gpus.map((gpu) => gpu.bytes)).toEqual(gpuGib.map((gib) => gib * GIB));
    },
  );

  describe('of a model whose size only the configuration states', () => {
    const growing = (world: FakeWorld): typeof world.ports => ({
      ...world.ports,
      estimator: {
        estimate: async () => ({
          ...NO_ESTIMATE,
          // The engine keeps prompts, and states of a quarter of the size.
          growthBySize: (totalBytes: number) => ({ ramBytes: 8 * GIB + totalBytes / 4, gpus: [] }),
        }),
      },
    });

    it('a candidate and a resident may grow, so that `switching.growth` applies to them', async () => {
      const world = new FakeWorld();
      world.chain = [profile({ modelKey: 'claimed', bytes: 0 }, { minMemoryBytes: 4 * GIB })];
      world.place('claimed');
      const { candidates, residents } = await assembleSelectionInput(growing(world));
      const grows = { source: 'configured', growth: { ramBytes: 9 * GIB, gpus: [] } };
      expect(candidates[0]?.loadOptions[0]?.footprint).toMatchObject(grows);
      expect(residents[0]?.footprint).toMatchObject(grows);
    });

    it('a resident that the configuration does not name has no footprint', async () => {
      const world = new FakeWorld();
      world.place('other');
      const { residents } = await assembleSelectionInput(growing(world));
      expect(residents[0]?.footprint).toBeNull();
    });
  });

  it('offers fewer layers on the GPU where only the configured estimate is known', async () => {
    const world = new FakeWorld();
    const claimed = { minMemoryBytes: 6 * GIB, minVramBytes: 4 * GIB };
    world.chain = [profile({ modelKey: 'claimed', bytes: 0 }, claimed)];
    const resources = { ...world.resources(), gpus: [CARD] };
    const { candidates } = await assembleSelectionInput({
      ...world.ports,
      monitor: { ...world.ports.monitor, snapshot: async () => resources },
    });
    expect(
      candidates[0]?.loadOptions.map(({ loadConfig, footprint }) => [
        loadConfig.offloadRatio,
        footprint?.gpus[0]?.bytes ?? 0,
      ]),
    ).toEqual([
      [null, 4 * GIB],
      [0.75, 3 * GIB],
      [0.5, 2 * GIB],
      [0.25, GIB],
      [0, 0],
    ]);
  });

  it('tells busy, pinned and foreign residents apart', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.place('large', { activity: 'generating' });
    world.place('small');
    world.place('small', { instanceIdentifier: 'small' });
    world.place('small', { instanceIdentifier: 'mai/small#2', queued: 2 });
    world.place('small', { instanceIdentifier: 'mai/small#3' });
    const { residents } = await assembleSelectionInput(world.ports, {
      pinned: ['large'],
      leased: ['mai/small#3'],
    });
    expect(
      residents.map(({ instanceIdentifier, busy, pinned, foreign }) => [
        instanceIdentifier,
        busy,
        pinned,
        foreign,
      ]),
    ).toEqual([
      ['mai/large', true, true, false],
      ['mai/small', false, false, false],
      ['small', false, false, true],
      ['mai/small#2', true, false, false],
      ['mai/small#3', true, false, false],
    ]);
  });

  it('pins a resident by the key of its variant, but not by the key of another one', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.place('large', { variant: 'large@q4_k_m' });
    world.place('small', { variant: 'small@q8_0' });
    const pinned = ['large@q4_k_m', 'small@q4_k_m'];
    const { residents } = await assembleSelectionInput(world.ports, { pinned });
    expect(residents.map((one) => [one.modelKey, one.pinned])).toEqual([
      ['large', true],
      ['small', false],
    ]);
  });

  it('counts an instance that hides its activity as busy for 30 s after its last use', async () => {
    const world = new FakeWorld([SMALL]);
    const hidden = { activity: null, queued: null };
    const now = world.clock.nowMs();
    world.place('small', { ...hidden, lastUsedAtMs: now - 29_999 });
    world.place('small', { ...hidden, instanceIdentifier: 'old', lastUsedAtMs: now - 30_000 });
    world.place('small', { ...hidden, instanceIdentifier: 'never', lastUsedAtMs: null });
    const { residents } = await assembleSelectionInput(world.ports);
    expect(residents.map((resident) => resident.busy)).toEqual([true, false, false]);
  });

  it('counts locked weights as anonymous memory', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small', { keepModelInMemory: true });
    const ports = {
      ...world.ports,
      estimator: {
        estimate: async () => ({
          ...NO_ESTIMATE,
          footprint: {
            ram: { mappedBytes: 3 * GIB, anonymousBytes: GIB },
            gpus: [],
            interval: null,
            growth: null,
            source: 'gguf-header' as const,
            confidence: 'high' as const,
          },
        }),
      },
    };
    const input = await assembleSelectionInput(ports);
    expect(input.residents[0]?.footprint?.ram).toEqual({
      mappedBytes: 0,
      anonymousBytes: 4 * GIB,
    });
    expect(input.candidates[0]?.loadOptions[0]?.footprint?.ram.mappedBytes).toBe(3 * GIB);
  });

  it('takes the totals of the survey where the runtime is on another machine', async () => {
    const world = new FakeWorld([SMALL]);
    world.observable = false;
    const { resources } = await assembleSelectionInput(world.ports);
    expect(resources).toMatchObject({
      observable: false,
      ram: { totalBytes: 32 * GIB, availableBytes: null, mappedCountsAsUsed: null },
    });
  });

  it('counts an instance with a shortened context as loaded as requested, as long as the context is enough', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small', { contextLengthTokens: 6000 });
    const acceptedAs = { 'mai/small': { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 } };
    const contextFor = async (minContextLengthTokens: number) => {
      const requirement = { capabilities: [], minContextLengthTokens, tiers: null };
      const { residents } = await assembleSelectionInput(world.ports, { acceptedAs, requirement });
      return residents[0]?.loadConfig.contextLengthTokens;
    };
    expect(await contextFor(6000)).toBe(8192);
    expect(await contextFor(6001)).toBe(6000);
  });

  it('tells what Mai asked for from what the runtime reports, and knows it only of its own loads', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small', { loadConfig: { ...DEFAULT_LOAD_CONFIG, cpuExpertRatio: 0.5 } });
    const asked = async (acceptedAs: Record<string, LoadConfig>) =>
      (await assembleSelectionInput(world.ports, { acceptedAs })).residents[0]?.asked;
    expect(await asked({ 'mai/small': DEFAULT_LOAD_CONFIG })).toEqual(DEFAULT_LOAD_CONFIG);
    expect(await asked({})).toBeNull();
  });

  it('lists only the instances on the device of the request', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small');
    world.place('small', { instanceIdentifier: 'mai/there', deviceIdentifier: 'peer' });
    const here = await assembleSelectionInput(world.ports);
    const there = await assembleSelectionInput(world.ports, { deviceIdentifier: 'peer' });
    expect(here.residents.map((one) => one.instanceIdentifier)).toEqual(['mai/small']);
    expect(there.residents.map((one) => one.instanceIdentifier)).toEqual(['mai/there']);
    expect(there.resources.observable).toBe(false);
  });

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough');
    const { ports } = new FakeWorld([SMALL]);
    await expect(
      assembleSelectionInput(ports, {}, { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
  });
});
