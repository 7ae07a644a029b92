import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import fc from 'fast-check';
import { profile } from '../../test/fake-world.js';
import { buildLoadSteps, preferredContextTokens, type LoadStep } from './load-steps.js';

const MODEL = profile({ modelKey: 'qwen/qwen3-8b', bytes: 0 });
const ANYTHING = { capabilities: [], minContextLengthTokens: null, tiers: null };
const firstKind = ({ tradeOffs }: LoadStep) => tradeOffs[0]?.kind ?? 'as-configured';

describe('buildLoadSteps', () => {
  it('starts with the configured way to load, and gives up more with each step', () => {
    const steps = buildLoadSteps({ ...MODEL, contextLengthTokens: 32_768 }, ANYTHING, false);
    expect(
      steps.map((step) => [
        firstKind(step),
        step.loadConfig.contextLengthTokens,
        step.loadConfig.kvCacheTypeK,
      ]),
    ).toEqual([
      ['as-configured', 32_768, null],
      ['shorter-context', 16_384, null],
      ['shorter-context', 8192, null],
      ['shorter-context', 4096, null],
      ['kv-cache-type', 4096, 'q8_0'],
      ['kv-cache-type', 4096, 'q4_0'],
    ]);
  });

  it('takes a required context of 0 tokens as no requirement', () => {
    const contexts = (minContextLengthTokens: number | null) =>
      buildLoadSteps(
        { ...MODEL, contextLengthTokens: 32_768 },
        { ...ANYTHING, minContextLengthTokens },
        false,
      ).map((step) => step.loadConfig.contextLengthTokens);
    expect(contexts(0)).toEqual(contexts(null));
  });

  it('turns flash attention on with a quantized KV cache, because llama.cpp needs it', () => {
    const quantized = buildLoadSteps(MODEL, ANYTHING, false).filter(
      (step) => step.loadConfig.kvCacheTypeV !== null,
    );
    expect(quantized.map((step) => step.loadConfig.flashAttention)).toEqual([true, true]);
  });

  it('moves experts and layers to the CPU only where a GPU has memory of its own', () => {
    const kindsWith = (hasDedicatedGpu: boolean) => [
      ...new Set(buildLoadSteps(MODEL, ANYTHING, hasDedicatedGpu).map(firstKind)),
    ];
    expect(kindsWith(false)).toEqual(['as-configured', 'shorter-context', 'kv-cache-type']);
    expect(kindsWith(true)).toEqual([
      'as-configured',
      'shorter-context',
      'kv-cache-type',
      'experts-on-cpu',
      'less-offload',
    ]);
  });

  it('leaves out steps that are configured already, and names every trade-off of the other steps', () => {
    const steps = buildLoadSteps(
      {
        ...MODEL,
        loadConfig: {
          ...DEFAULT_LOAD_CONFIG,
          kvCacheTypeK: 'q8_0',
          kvCacheTypeV: 'q8_0',
          offloadRatio: 0.5,
          cpuExpertRatio: 0.5,
        },
      },
      { ...ANYTHING, minContextLengthTokens: 8192 },
      true,
    );
    const cache = { kind: 'kv-cache-type', fromK: 'q8_0', fromV: 'q8_0', toK: 'q4_0', toV: 'q4_0' };
    const experts = { kind: 'experts-on-cpu', ratio: 1 };
    const layers = (ratio: number) => ({ kind: 'less-offload', ratio });
    expect(steps.map(({ tradeOffs }) => tradeOffs)).toEqual([
      [],
      [cache],
      [experts],
      [experts, cache],
      [layers(0.25), experts],
      [layers(0.25), experts, cache],
      [layers(0), experts],
      [layers(0), experts, cache],
    ]);
  });

  it('starts with the whole context again once experts on the CPU make room for it', () => {
    const steps = buildLoadSteps({ ...MODEL, contextLengthTokens: 16_384 }, ANYTHING, true);
    const of = (kind: string) =>
      steps
        .filter((step) => firstKind(step) === kind)
        .map(({ loadConfig }) => [
          loadConfig.cpuExpertRatio,
          loadConfig.offloadRatio,
          loadConfig.contextLengthTokens,
          loadConfig.kvCacheTypeK,
        ]);
    const settings = [
      [16_384, null],
      [8192, null],
      [4096, null],
      [4096, 'q8_0'],
      [4096, 'q4_0'],
    ];
    expect(of('experts-on-cpu')).toEqual([
      ...settings.map((setting) => [0.5, null, ...setting]),
      ...settings.map((setting) => [1, null, ...setting]),
    ]);
    expect(of('less-offload').slice(0, 3)).toEqual([
      [1, 0.75, 16_384, null],
      [1, 0.75, 4096, 'q4_0'],
      [1, 0.5, 16_384, null],
    ]);
  });

  it('raises the context to the requirement, but not beyond what the model allows', () => {
    const contextFor = (minContextLengthTokens: number) =>
      buildLoadSteps(MODEL, { ...ANYTHING, minContextLengthTokens }, false)[0]?.loadConfig
        .contextLengthTokens;
    expect(contextFor(16_384)).toBe(16_384);
    expect(contextFor(65_536)).toBe(32_768);
  });

  it('shortens the context with each step, down to the requirement', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300_000 }),
        fc.integer({ min: 1, max: 300_000 }),
        (wanted, required) => {
          const steps = buildLoadSteps(
            { ...MODEL, contextLengthTokens: wanted, maxContextLengthTokens: null },
            { ...ANYTHING, minContextLengthTokens: required },
            true,
          );
          for (const ratio of [null, 0.5, 1]) {
            const contexts = steps
              .filter(
                (step) =>
                  firstKind(step) !== 'less-offload' && step.loadConfig.cpuExpertRatio === ratio,
              )
              .map((step) => step.loadConfig.contextLengthTokens ?? 0);
            expect(Math.min(...contexts)).toBe(required);
            expect(contexts).toEqual([...contexts].sort((one, other) => other - one));
          }
        },
      ),
    );
  });
});

// The configured context is 8,192 tokens, and the model allows 32,768.
test.each([
  ['twice what is needed', 10_240, 20_480, 20_480],
  ['at most what the model allows', 20_480, 40_960, 32_768],
  ['nothing where the model allows no more than is needed', 32_768, 65_536, null],
  ['nothing where the configured context is enough', 8192, 16_384, null],
  ['nothing where no context is needed', null, 16_384, null],
  ['nothing where callers prefer none', 10_240, null, null],
  ['nothing where they prefer no more than is needed', 10_240, 10_240, null],
] as const)('the preferred context is %s', (_, needed, preferred, expected) => {
  const requirement = {
    ...ANYTHING,
    minContextLengthTokens: needed,
    preferredContextLengthTokens: preferred,
  };
  expect(preferredContextTokens(MODEL, requirement)).toBe(expected);
});

test('a model of unknown longest context gets no preferred context', () => {
  const requirement = {
    ...ANYTHING,
    minContextLengthTokens: 10_240,
    preferredContextLengthTokens: 20_480,
  };
  expect(
    preferredContextTokens({ ...MODEL, maxContextLengthTokens: null }, requirement),
  ).toBeNull();
});
