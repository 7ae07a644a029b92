import path from 'node:path';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY, type Resources } from '@mai/memory-ledger';
import { estimateFootprint, modelShape, readGgufHeader } from '@mai/memory-estimator';
import { orderByValue, selectModel, type Candidate } from '@mai/selector';
import { environmentFor, type LoadEngine } from '../engine/load-engine.js';
import { newestProfile } from '../engine/read-load-engine.js';
import { headerFacts } from '../model-files/read-header-facts.js';
import { modelQuality } from '../catalog/model-quality.js';
import { createSpeeds } from '../speeds/speeds.js';
import { explainChoice } from '../text/decisions/explain-selection.js';
import { speedSubjectOf } from '../speeds/speed-subject.js';

const GIB = 1024 ** 3;
const HEADERS = path.join(__dirname, '../../../../bench/data/lmstudio-loads/headers');
const LIBRARY = [
  { file: 'gpt-oss-120b', modelKey: 'openai/gpt-oss-120b', tier: 'large' },
  { file: 'qwen3.8-27b-mtp', modelKey: 'qwen/qwen3.6-27b', tier: 'large' },
  { file: 'gemma-3-27b', modelKey: 'google/gemma-3-27b', tier: 'large' },
  { file: 'qwen3-8b-q8_0', modelKey: 'qwen/qwen3-8b', tier: 'medium' },
  { file: 'qwen3-vl-4b-q8_0', modelKey: 'qwen/qwen3-vl-4b', tier: 'small' },
] as const;
const ENGINE: LoadEngine = {
  profile: newestProfile(),
  selected: [],
  disabledGpus: 0,
  seenGpus: null,
  usesGpus: true,
  vectorInstructions: true,
  threads: 8,
  hardware: null,
  mlxKvCache: null,
};
/** The ways to load a model: whole on the GPU, then more and more layers in RAM. */
const OFFLOADS = [1, 0.75, 0.5, 0.25, 0];
const CONTEXT_TOKENS = 8192;
const speeds = createSpeeds({
  measurements: () => [],
  refresh: () => false,
  record: () => Promise.resolve(),
});

function machine(
  ramGib: number,
  gpus: readonly {
    readonly name: string;
    readonly vendor: 'nvidia' | 'apple';
    readonly gib: number;
  }[],
): Resources {
  const unified = gpus.some(({ vendor }) => vendor === 'apple');
  return {
    timestampMs: 0,
    observable: true,
    unified,
    ram: {
      totalBytes: ramGib * GIB,
      availableBytes: (ramGib - 3) * GIB,
      mappedCountsAsUsed: false,
    },
    gpus: gpus.map(({ name, vendor, gib }) => ({
      deviceKey: name,
      name,
      vendor,
      memory: unified ? 'shared' : 'dedicated',
      totalBytes: gib * GIB,
      availableBytes: (gib - 0.5) * GIB,
    })),
    cpu: { utilizationRatio: 0.05, othersRatio: 0.05 },
  };
}

async function candidatesOn(resources: Resources): Promise<readonly Candidate[]> {
  return Promise.all(
    LIBRARY.map(async ({ file, modelKey, tier }): Promise<Candidate> => {
      const header = await readGgufHeader(path.join(HEADERS, `${file}.gguf-header`));
      const shape = modelShape(header);
      if (shape === null) throw new Error(`The shape of ${file} is not known.`);
      const { quantization } = headerFacts(header);
      const environment = environmentFor(resources, ENGINE);
      const profile = {
        modelKey,
        displayName: modelKey,
        capabilities: ['chat'] as const,
        quality: null,
      };
      const offloads = environment.gpus.length === 0 ? [0] : resources.unified ? [1] : OFFLOADS;
      return {
        modelKey,
        displayName: modelKey,
        tier,
        capabilities: ['chat'],
        maxContextLengthTokens: 131_072,
        observedGrowth: [],
        downloaded: true,
        refusal: null,
        coolingDownUntilMs: null,
        expandedFrom: 'downloaded:chat',
        loadOptions: offloads.map((offloadRatio) => {
          const loadConfig = {
            ...DEFAULT_LOAD_CONFIG,
            contextLengthTokens: CONTEXT_TOKENS,
            parallelSequences: 1,
            offloadRatio,
          };
          const subject = speedSubjectOf({
            shape,
            loadConfig,
            resources,
            engine: ENGINE,
            format: 'gguf',
            quantization,
            fileBytes: null,
            ramBandwidth: null,
          });
          return {
            loadConfig,
            footprint: estimateFootprint(header, loadConfig, environment),
            guardrails: null,
            speed: speeds.speedOf(subject),
            quality:
              modelQuality(
                { profile, model: null, shape, quantization, baseModels: [] },
                loadConfig,
                'general',
              )?.quality ?? null,
          };
        }),
      };
    }),
  );
}

/** The chain that is derived for a machine, and the speed of the load of each model that would be chosen. */
async function chainOn(resources: Resources) {
  const policy = DEFAULT_SELECTION_POLICY;
  const candidates = orderByValue(await candidatesOn(resources), { resources, policy });
  const requirement = { capabilities: ['chat'], minContextLengthTokens: null, tiers: null };
  const input = { resources, policy, requirement, residents: [] };
  return candidates.map((candidate) => {
    const { chosen } = selectModel({ ...input, candidates: [candidate] });
    const option = chosen?.loadOption ?? null;
    return {
      modelKey: candidate.modelKey,
      fits: chosen !== null,
      offloadRatio: option?.loadConfig.offloadRatio ?? null,
      tokensPerSecond: Math.round(option?.speed?.decodeTokensPerSecond.expected ?? 0),
      quality: option?.quality ?? null,
    };
  });
}

/** The model that is chosen now, why in words, and the models that are passed over because they are too slow. */
async function choiceOn(resources: Resources) {
  const policy = DEFAULT_SELECTION_POLICY;
  const candidates = orderByValue(await candidatesOn(resources), { resources, policy });
  const requirement = { capabilities: ['chat'], minContextLengthTokens: null, tiers: null };
  const selection = selectModel({ resources, policy, requirement, residents: [], candidates });
  return {
    modelKey: selection.chosen?.modelKey ?? null,
    reason: explainChoice(selection, { candidates }),
    tooSlow: selection.rejected
      .filter(({ rejection }) => rejection.code === 'TOO_SLOW')
      .map(({ modelKey }) => modelKey),
  };
}

describe('the chain that Mai derives', () => {
  test('for a laptop of 16 GiB without a GPU: the 8B first, and only the 4B fits now', async () => {
    const laptop = machine(16, []);
    const chain = await chainOn(laptop);
    expect(chain.slice(0, 2).map(({ modelKey }) => modelKey)).toEqual([
      'qwen/qwen3-8b',
      'qwen/qwen3-vl-4b',
    ]);
    expect(chain.filter(({ fits }) => fits).map(({ modelKey }) => modelKey)).toEqual([
      'qwen/qwen3-vl-4b',
    ]);
    // 4.3 GB of weights for each token at 80 GB/s.
    expect(chain[1]?.tokensPerSecond).toBeGreaterThan(8);
    expect(chain[1]?.tokensPerSecond).toBeLessThan(19);
    expect((await choiceOn(laptop)).reason).toMatch(/^Quality 0\.\d\d, about \d+ tokens a second/);
  });

  test('for a card of 12 GiB: the small models, then each 27B, which is too slow to read along', async () => {
    const desktop = machine(32, [{ name: 'NVIDIA GeForce RTX 3060', vendor: 'nvidia', gib: 12 }]);
    const chain = await chainOn(desktop);
    expect(chain.map(({ modelKey }) => modelKey)).toEqual([
      'qwen/qwen3-8b',
      'qwen/qwen3-vl-4b',
      'qwen/qwen3.6-27b',
      'google/gemma-3-27b',
      'openai/gpt-oss-120b',
    ]);
    const speedOf = Object.fromEntries(
      chain.map(({ modelKey, tokensPerSecond }) => [modelKey, tokensPerSecond]),
    );
    const { minTokensPerSecond } = DEFAULT_SELECTION_POLICY;
    expect(speedOf['google/gemma-3-27b']).toBeLessThan(minTokensPerSecond);
    // Whole on the card: 4.3 GB at 360 GB/s.
    expect(chain[1]).toMatchObject({ offloadRatio: 1 });
    expect(speedOf['qwen/qwen3-vl-4b']).toBeGreaterThan(40);
    // Half of the 27B's 17 GB are read from RAM for each token, at 45 GB/s.
    expect(speedOf['qwen/qwen3.6-27b']).toBeLessThan(minTokensPerSecond);
    const choice = await choiceOn(desktop);
    expect(choice).toMatchObject({ modelKey: 'qwen/qwen3-8b', tooSlow: [] });
    expect(choice.reason).toContain('It comes before qwen/qwen3-vl-4b (quality 0.41');
  });

  test('for a Mac of 64 GiB: the large models first, whole on its GPU, without the 120B, which does not fit', async () => {
    const mac = machine(64, [{ name: 'Apple M4 Max', vendor: 'apple', gib: 48 }]);
    const chain = await chainOn(mac);
    expect(chain.map(({ modelKey }) => modelKey)).toEqual([
      'qwen/qwen3.6-27b',
      'google/gemma-3-27b',
      'qwen/qwen3-8b',
      'qwen/qwen3-vl-4b',
      'openai/gpt-oss-120b',
    ]);
    expect(chain.map(({ fits }) => fits)).toEqual([true, true, true, true, false]);
    expect(chain.slice(0, 4).every(({ offloadRatio }) => offloadRatio === 1)).toBe(true);
    // 15 GB of weights for each token at 546 GB/s.
    expect(chain[0]?.tokensPerSecond).toBeGreaterThan(15);
    expect(chain[0]?.tokensPerSecond).toBeLessThan(36);
    expect((await choiceOn(mac)).reason).toMatch(
      /^Quality 0\.79, about \d\d tokens a second, .* It comes before google\/gemma-3-27b/,
    );
  });
});
