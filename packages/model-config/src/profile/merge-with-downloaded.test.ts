import fc from 'fast-check';
import { downloadedModel } from '../../test/downloaded.js';
import { EXAMPLE } from '../../test/example-file.js';
import { resolveChain } from '../chain.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import type { ModelConfig } from '../model-config.js';
import { keyThatLoads, otherNames, withSelectedVariants } from './key-that-loads.js';
import { mergeWithDownloaded, type ModelProfile } from './merge-with-downloaded.js';

const GIB = 1024 ** 3;

function config(text: string): ModelConfig {
  const result = parseModelConfig(text);
  if (result.config === null) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

const none = config('version: 1\nmodels: []');
const one = (...fields: string[]): ModelConfig =>
  config(`version: 1\nmodels:\n  - ${['key: qwen/qwen3-4b', ...fields].join('\n    ')}\n`);
const byKey = (profiles: readonly ModelProfile[], key: string): ModelProfile => {
  const profile = profiles.find(({ modelKey }) => modelKey === key);
  if (profile === undefined) throw new Error(`no profile of ${key}`);
  return profile;
};

describe('a configured model', () => {
  it('has the configured values and no derived values', () => {
    const profiles = mergeWithDownloaded(config(EXAMPLE), [
      downloadedModel('qwen/qwen3-4b-2507', { maxContextLengthTokens: 262_144, vision: true }),
    ]);
    expect(byKey(profiles, 'qwen/qwen3-4b-2507')).toEqual({
      modelKey: 'qwen/qwen3-4b-2507',
      displayName: 'Qwen3 4B',
      description: 'Fast general chat with reasoning',
      tier: 'medium',
      capabilities: ['chat', 'reasoning'],
      quality: null,
      contextLengthTokens: 8192,
      maxContextLengthTokens: 262_144,
      maxOutputTokens: 2048,
      minMemoryBytes: 4 * GIB,
      minVramBytes: 2 * GIB,
      loadConfig: {
        contextLengthTokens: 8192,
        parallelSequences: null,
        offloadRatio: 1,
        kvCacheTypeK: 'q8_0',
        kvCacheTypeV: 'q8_0',
        flashAttention: true,
        cpuExpertRatio: null,
      },
      ttlMs: 600_000,
      architecture: 'llama',
      sizeLabel: null,
      reasoning: null,
      quantization: 'Q4_K_M',
      downloaded: true,
      configured: true,
      derivedFields: [],
    });
  });

  it('has a profile when it is not downloaded, with values derived from its name', () => {
    const [profile] = mergeWithDownloaded(one(), []);
    expect(profile).toMatchObject({
      displayName: 'qwen3-4b',
      tier: 'medium',
      capabilities: ['chat', 'reasoning'],
      quality: null,
      contextLengthTokens: 4096,
      maxContextLengthTokens: null,
      architecture: null,
      sizeLabel: null,
      reasoning: null,
      quantization: null,
      downloaded: false,
      configured: true,
      derivedFields: ['displayName', 'tier', 'capabilities', 'contextLengthTokens'],
    });
  });

  it.each([
    [8191, 8191, ['contextLengthTokens']],
    [8192, 8192, []],
    [8193, 8192, []],
  ])('that allows %i tokens is loaded with %i', (max, expected, derived) => {
    const fields = [
      'display_name: Q',
      'category: small',
      'capabilities: [chat]',
      'context_window: 8192',
    ];
    const [profile] = mergeWithDownloaded(one(...fields), [
      downloadedModel('qwen/qwen3-4b', { maxContextLengthTokens: max }),
    ]);
    expect(profile).toMatchObject({
      contextLengthTokens: expected,
      loadConfig: { contextLengthTokens: expected },
      derivedFields: derived,
    });
  });
});

describe('a model that is downloaded and not configured', () => {
  it('gets values from LM Studio’s facts, and names them as derived', () => {
    const [profile] = mergeWithDownloaded(none, [
      downloadedModel('lmstudio-community/some-coder-30b', {
        displayName: 'Some Coder 30B',
        sizeBytes: 18 * GIB,
        toolUse: true,
        vision: true,
      }),
    ]);
    expect(profile).toEqual({
      modelKey: 'lmstudio-community/some-coder-30b',
      displayName: 'Some Coder 30B',
      description: null,
      tier: 'large',
      capabilities: ['chat', 'analysis', 'coding', 'tools', 'vision'],
      quality: null,
      contextLengthTokens: 8192,
      maxContextLengthTokens: 131_072,
      maxOutputTokens: null,
      minMemoryBytes: null,
      minVramBytes: null,
      loadConfig: {
        contextLengthTokens: 8192,
        parallelSequences: null,
        offloadRatio: null,
        kvCacheTypeK: null,
        kvCacheTypeV: null,
        flashAttention: null,
        cpuExpertRatio: null,
      },
      ttlMs: null,
      architecture: 'llama',
      sizeLabel: null,
      reasoning: null,
      quantization: 'Q4_K_M',
      downloaded: true,
      configured: false,
      derivedFields: ['displayName', 'tier', 'capabilities', 'contextLengthTokens'],
    });
  });

  it.each([
    [2 * GIB - 1, 'small'],
    [2 * GIB, 'medium'],
    [6.5 * GIB - 1, 'medium'],
    [6.5 * GIB, 'large'],
  ])('of %i bytes is %s', (sizeBytes, tier) => {
    expect(mergeWithDownloaded(none, [downloadedModel('x', { sizeBytes })])[0]?.tier).toBe(tier);
  });

  it.each([
    ['x-270m', null, 'small'],
    ['x', '1.7B', 'small'],
    ['x-8b', null, 'medium'],
    ['mixtral-8x7b', null, 'large'],
    ['qwen3-30b-a3b', null, 'large'],
    ['x-bf16-q4_k_m', null, 'medium'],
    ['x', null, 'medium'],
  ])('of unknown size, named %s with %s parameters, is %s', (key, parameters, tier) => {
    const [profile] = mergeWithDownloaded(none, [
      downloadedModel(key, { sizeBytes: 0, parameters }),
    ]);
    expect(profile?.tier).toBe(tier);
  });

  it.each([
    ['qwen/qwen3-4b', ['chat', 'reasoning']],
    ['qwen/qwen3-4b-2507', ['chat']],
    ['qwen/qwen3-4b-thinking-2507', ['chat', 'reasoning']],
    ['qwen3-30b-a3b-instruct-2507', ['chat']],
    ['qwen/qwen3-coder-30b', ['chat', 'coding']],
    ['deepseek-r1-distill-qwen-7b', ['chat', 'reasoning']],
    ['openai/gpt-oss-20b', ['chat', 'reasoning']],
    ['mistralai/magistral-small-2509', ['chat', 'reasoning']],
    ['mistralai/devstral-small-2507', ['chat', 'coding']],
    ['qwen2.5-coder-7b-instruct', ['chat', 'coding']],
    ['codellama-7b', ['chat', 'coding']],
    ['encoder-decoder-7b', ['chat']],
    ['meta-llama-3.1-8b-instruct', ['chat']],
  ])('called %s has the capabilities %j', (key, expected) => {
    const facts = { maxContextLengthTokens: 8192 };
    expect(mergeWithDownloaded(none, [downloadedModel(key, facts)])[0]?.capabilities).toEqual(
      expected,
    );
  });

  it.each([
    ['glm-4.7-flash', true, ['chat', 'reasoning']],
    ['glm-4.7-flash', false, ['chat']],
    ['hunyuan-a13b-instruct', true, ['chat', 'reasoning']],
    // Its file does not show it.
    ['phi-4-mini-reasoning', false, ['chat', 'reasoning']],
    // Conversions with the template of the models that think.
    ['qwen3-4b-instruct-2507', true, ['chat']],
    ['qwen3-coder-30b', true, ['chat', 'coding']],
    ['x-no-think', true, ['chat']],
  ])('called %s whose file says of thinking %s has the capabilities %j', (key, reasoning, all) => {
    const facts = { maxContextLengthTokens: 8192, reasoning };
    expect(mergeWithDownloaded(none, [downloadedModel(key, facts)])[0]?.capabilities).toEqual(all);
  });

  it('has only the capability embedding when LM Studio calls it an embedding model', () => {
    const [profile] = mergeWithDownloaded(none, [
      downloadedModel('text-embedding-x-code', { kind: 'embedding', toolUse: true, vision: true }),
    ]);
    expect(profile?.capabilities).toEqual(['embedding']);
  });

  it.each([
    [null, 4096],
    [512, 512],
    [8191, 8191],
    [1_000_000, 8192],
  ])('that allows %s tokens is loaded with %i', (maxContextLengthTokens, expected) => {
    const [profile] = mergeWithDownloaded(none, [downloadedModel('x', { maxContextLengthTokens })]);
    expect(profile?.contextLengthTokens).toBe(expected);
  });

  it('comes after the configured models, large before small', () => {
    const keys = mergeWithDownloaded(one(), [
      downloadedModel('s', { sizeBytes: GIB }),
      downloadedModel('l', { sizeBytes: 9 * GIB }),
      downloadedModel('qwen/qwen3-4b'),
    ]).map(({ modelKey }) => modelKey);
    expect(keys).toEqual(['qwen/qwen3-4b', 'l', 's']);
  });
});

describe('a variant', () => {
  const base = downloadedModel('qwen/qwen3-4b', {
    variants: ['qwen/qwen3-4b@q4_k_m', 'qwen/qwen3-4b@q8_0'],
    selectedVariant: 'qwen/qwen3-4b@q4_k_m',
  });
  const inChain = config(
    'version: 1\nmodels: [{ key: qwen/qwen3-4b, category: medium, min_memory_gb: 3, load: { parallel: 2 } }]\nfallback_chains: { default: [qwen/qwen3-4b@q8_0, qwen/qwen3-4b@q6_k] }',
  );

  it('takes over the configuration of its model, except for the memory figures', () => {
    const profile = byKey(mergeWithDownloaded(inChain, [base]), 'qwen/qwen3-4b@q8_0');
    expect(profile).toMatchObject({
      tier: 'medium',
      minMemoryBytes: null,
      loadConfig: { parallelSequences: 2 },
      architecture: 'llama',
      sizeLabel: null,
      reasoning: null,
      quantization: 'q8_0',
      downloaded: true,
      configured: false,
    });
    expect(profile.derivedFields).toContain('tier');
  });

  it('is downloaded when LM Studio lists it as a variant', () => {
    const profiles = mergeWithDownloaded(inChain, [base]);
    expect(byKey(profiles, 'qwen/qwen3-4b@q6_k').downloaded).toBe(false);
    expect(byKey(profiles, 'qwen/qwen3-4b').downloaded).toBe(true);
  });

  it('has the key of its model if it is the selected variant, in models, chains and pins', () => {
    const text = `version: 1
models:
  - { key: qwen/qwen3-4b, category: small }
  - { key: qwen/qwen3-4b@q4_k_m, category: large }
fallback_chains: { default: [qwen/qwen3-4b@q4_k_m, qwen/qwen3-4b@q8_0] }
pins: [qwen/qwen3-4b@q4_k_m]`;
    const given = config(text);
    const joined = withSelectedVariants(given, [base]);
    expect(joined.pins).toEqual(['qwen/qwen3-4b']);
    expect(joined.models).toMatchObject([{ modelKey: 'qwen/qwen3-4b', tier: 'large' }]);
    const profiles = mergeWithDownloaded(given, [base]);
    expect(profiles.map(({ modelKey, tier, downloaded }) => [modelKey, tier, downloaded])).toEqual([
      ['qwen/qwen3-4b', 'large', true],
      ['qwen/qwen3-4b@q8_0', 'large', true],
    ]);
    const inOrder = resolveChain(joined, 'default', profiles) ?? [];
    expect(inOrder.map(({ modelKey }) => modelKey)).toEqual([
      'qwen/qwen3-4b',
      'qwen/qwen3-4b@q8_0',
    ]);
    expect(joined.fallbackChains['constructor']).toBeUndefined();
    // Without LM Studio's list, no key is known to be a selected variant.
    expect(withSelectedVariants(given, [])).toBe(given);
  });

  it('has the key of its model when it is the only quantization', () => {
    const single = downloadedModel('qwen/qwen3-4b', { quantization: { name: 'Q8_0', bits: 8 } });
    const profiles = mergeWithDownloaded(inChain, [single]);
    expect(byKey(profiles, 'qwen/qwen3-4b').downloaded).toBe(true);
    expect(profiles.map(({ modelKey }) => modelKey)).not.toContain('qwen/qwen3-4b@q8_0');
    expect(byKey(profiles, 'qwen/qwen3-4b@q6_k').downloaded).toBe(false);
  });

  it('stands for the key of its model when only quantizations are listed and it is the largest', () => {
    const text = `version: 1
models:
  - { key: qwen/qwen3-4b, context_window: 4096, min_memory_gb: 5 }
  - { key: qwen/qwen3-4b@q4_k_m, context_window: 2048 }
fallback_chains: { default: [qwen/qwen3-4b] }
pins: [qwen/qwen3-4b]`;
    const listed = (quantization: string, sizeBytes: number) =>
      downloadedModel(`qwen/qwen3-4b@${quantization}`, { sizeBytes, variants: [] });
    const all = [listed('q4_k_m', 2 * GIB), listed('f16', 8 * GIB), listed('q8_0', 4 * GIB)];
    const given = config(text);
    const joined = withSelectedVariants(given, all);
    expect(joined.pins).toEqual(['qwen/qwen3-4b@f16']);
    const profiles = mergeWithDownloaded(given, all);
    expect(
      profiles.map((profile) => [
        profile.modelKey,
        profile.contextLengthTokens,
        profile.minMemoryBytes,
        profile.downloaded,
      ]),
    ).toEqual([
      ['qwen/qwen3-4b@f16', 4096, 5 * GIB, true],
      ['qwen/qwen3-4b@q8_0', 4096, null, true],
      ['qwen/qwen3-4b@q4_k_m', 2048, null, true],
    ]);
    const inOrder = resolveChain(joined, 'default', profiles) ?? [];
    expect(inOrder.map(({ modelKey }) => modelKey)).toEqual(['qwen/qwen3-4b@f16']);
    expect(keyThatLoads('qwen/qwen3-4b', all)).toBe('qwen/qwen3-4b@f16');
    expect(keyThatLoads('qwen/qwen3-4b@q8_0', all)).toBe('qwen/qwen3-4b@q8_0');
    expect(keyThatLoads('qwen/qwen3', all)).toBe('qwen/qwen3');
    expect(Object.fromEntries(otherNames(all))).toEqual({ 'qwen/qwen3-4b': 'qwen/qwen3-4b@f16' });
  });

  it('is another name of its model where it is the one that loads, and a name of its own where it is not', () => {
    const variants = ['hub/m@q4_k_m', 'hub/m@q8_0'];
    const hub = downloadedModel('hub/m', { variants, selectedVariant: 'hub/m@q4_k_m' });
    const single = downloadedModel('one', { quantization: { name: 'Q6_K', bits: 6 } });
    const listed = downloadedModel('hub/m@q8_0', { variants: [], quantization: null });
    const names = otherNames([hub, single]);
    expect(Object.fromEntries(names)).toEqual({
      'hub/m@q4_k_m': 'hub/m',
      'hub/m@q8_0': 'hub/m@q8_0',
      'one@q6_k': 'one',
    });
    for (const [name, key] of names) expect(keyThatLoads(name, [hub, single])).toBe(key);
    expect(otherNames([hub, listed]).has('hub/m@q8_0')).toBe(false);
  });

  it('keeps its own entry if the file has one', () => {
    const own = config(
      'version: 1\nmodels: [{ key: a, category: small }, { key: a@q8_0, category: large }]',
    );
    expect(byKey(mergeWithDownloaded(own, []), 'a@q8_0')).toMatchObject({
      tier: 'large',
      configured: true,
    });
  });
});

describe('merging', () => {
  const keys = fc.constantFrom('a', 'b', 'a@q4', 'a@q8', 'qwen/qwen3-4b', 'c-8b');
  const downloads = fc.array(
    fc.record({
      key: keys,
      sizeBytes: fc.nat({ max: 40 * GIB }),
      max: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
      deviceIdentifier: fc.option(fc.constant('other')),
    }),
    { maxLength: 8 },
  );

  it('gives one frozen profile for each key, with at most the context that the model allows', () => {
    fc.assert(
      fc.property(downloads, (list) => {
        const models = list.map(({ key, max, ...facts }) =>
          downloadedModel(key, { ...facts, maxContextLengthTokens: max }),
        );
        const profiles = mergeWithDownloaded(config(EXAMPLE), models);
        const names = profiles.map(({ modelKey }) => modelKey);
        expect(new Set(names).size).toBe(names.length);
        for (const model of models) expect(names).toContain(model.modelKey);
        for (const profile of profiles) {
          expect(profile.contextLengthTokens).toBeLessThanOrEqual(
            profile.maxContextLengthTokens ?? Number.POSITIVE_INFINITY,
          );
          expect(profile.loadConfig.contextLengthTokens).toBe(profile.contextLengthTokens);
          expect(Object.isFrozen(profile)).toBe(true);
          if (profile.configured) continue;
          expect(profile.derivedFields).toEqual([
            'displayName',
            'tier',
            'capabilities',
            'contextLengthTokens',
          ]);
        }
      }),
    );
  });

  it('uses the copy on LM Studio’s own machine if a model is on several machines', () => {
    const [profile] = mergeWithDownloaded(none, [
      downloadedModel('a', { sizeBytes: 20 * GIB, deviceIdentifier: 'other' }),
      downloadedModel('a', { sizeBytes: GIB }),
    ]);
    expect(profile?.tier).toBe('small');
  });
});
