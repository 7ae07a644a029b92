import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { chooseSettings } from '../load/choose-settings.js';
import { resolveEngineProfile, withKnownSettings } from './resolve-profile.js';
import { parseRuntimeName } from './runtime-version.js';

const lmStudio = (runtimeVersion: string | null, backend: 'cuda' | 'metal' | null = 'cuda') =>
  resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend });
const FACTS = { model: null, isEmbedding: false, images: 'none' as const, canDraft: false };

describe("a runtime's name", () => {
  test.each([
    ['llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2', '2.28.2', 'cuda'],
    ['llama.cpp-linux-x86_64-amd-rocm-avx2@2.23.1', '2.23.1', 'cuda'],
    ['llama.cpp-mac-arm64-apple-metal-advsimd-1.44.0', '1.44.0', 'metal'],
    ['llama.cpp-linux-x86_64-vulkan-avx2@2.37.0', '2.37.0', 'vulkan'],
    ['llama.cpp-linux-x86_64-avx2@2.37.0', '2.37.0', 'none'],
    ['llama.cpp-linux-x86_64-avx2', null, 'none'],
    ['2.37.0', '2.37.0', null],
    ['v2.37.0', '2.37.0', null],
    ['2', '2', null],
    ['mlx', null, null],
  ])('%s: version %s, back end %s', (name, version, backend) => {
    expect(parseRuntimeName(name)).toEqual({ version, backend });
  });
});

describe('a profile', () => {
  // Setting, last version with the old value, old value, first version with the new value, new value.
  test.each([
    ['contextLengthTokens', '1.52.1', 4096, '2.10.1', 8192],
    ['parallelSequences', '1.52.1', 1, '2.10.1', 4],
    ['batchTokens', '2.15.9', 512, '2.20.0', 2048],
    ['embeddingBatch', '2.23.0', 'as-set', '2.23.1', 'context'],
    ['reservedLogits', '2.13.0', 'micro-batch', '2.37.0', 'asked-outputs'],
    ['outputLayer', '1.52.1', 'last', '2.0.0', 'first'],
    ['cellPadding', '1.44.0', 'by-attention', '2.0.0', 256],
    ['promptCacheBytes', '2.9.9', 0, '2.16.0', 8 * 1024 ** 3],
    ['contextCheckpoints', '2.19.9', 0, '2.23.0', 32],
    ['checkpointCells', '2.16.0', 'cache', '2.23.0', 'window'],
    ['cpuKernels', '1.52.1', 'machine-2025', '2.37.0', 'machine'],
  ] as const)(
    'has %s by version: until %s it is %s, from %s on %s',
    (setting, older, before, newer, after) => {
      expect(lmStudio(older).settings[setting].value).toBe(before);
      expect(lmStudio(newer).settings[setting].value).toBe(after);
      expect(lmStudio(newer).settings[setting].alternatives).toEqual([]);
    },
  );

  test.each([
    ['flashAttention', '2.28.2', true, [false]],
    ['swaFull', '2.28.2', false, [true]],
    ['pinsFlashAttention', '1.52.1', false, []],
    ['pinsFlashAttention', '2.38.0', false, [true]],
    ['contextLengthTokens', '2.23.0', 8192, ['maximum']],
    ['batchTokens', '2.31.2', 512, [2048]],
    ['draftTokens', '2.37.0', 0, [3]],
    ['checkpointCells', '2.22.0', 'window', ['cache']],
    ['embeddingLogits', '1.43.0', false, [true]],
    ['embeddingSequences', '2.13.0', 'as-set', ['single']],
    ['cpuKernels', '2.0.0', 'machine', ['machine-2025']],
    ['cpuKernels', '2.10.1', 'machine', ['machine-2025']],
    ['cpuKernels', '2.36.9', 'machine', ['machine-2025']],
  ] as const)('does not know %s of runtime %s', (setting, version, value, alternatives) => {
    expect(lmStudio(version).settings[setting]).toMatchObject({ value, alternatives });
  });

  test('has the newest known facts without a version or for a newer version', () => {
    const { settings, factsVersion } = lmStudio(null);
    expect(lmStudio('99.0.0')).toMatchObject({ settings, factsVersion, runtimeVersion: '99.0.0' });
    expect(lmStudio(factsVersion).settings).toEqual(settings);
  });

  test.each([
    ['1.14.0', '1.44.0'],
    ['1.44.0', '1.44.0'],
    ['2', '2.0.0'],
    ['2.5.0', '2.0.0 to 2.10.1'],
    ['2.31.3', '2.31.2 to 2.37.0'],
    ['3.0.0', '2.38.0'],
  ])('of runtime %s names the known versions that its facts are from: %s', (version, facts) => {
    expect(lmStudio(version)).toMatchObject({ runtimeVersion: version, factsVersion: facts });
  });

  test.each([
    ['0.4.12', 'LM Studio 0.4.12 was seen with runtime 2.13.0: lmstudio@2.13.0.'],
    ['0.4.99', '(known: 1.44.0, 1.52.1, 2.0.0, '],
    ['0.3', "is a version of LM Studio's app"],
  ])('throws for the version %s of the app, and names the known runtimes', (version, text) => {
    expect(() => lmStudio(version)).toThrow(RangeError);
    expect(() => lmStudio(version)).toThrow(text);
    expect(() => lmStudio(version)).toThrow(', 2.37.0, 2.38.0).');
  });

  test('takes the back end from the name of the runtime', () => {
    const name = 'llama.cpp-mac-arm64-apple-metal-advsimd@2.28.2';
    expect(lmStudio(name, null)).toMatchObject({ backend: 'metal', factsVersion: '2.28.2' });
    expect(lmStudio(name, null).settings.flashAttention).toMatchObject({ value: false });
  });

  test('names a source for every setting', () => {
    for (const version of ['1', '1.52.1', '2.0.0', '2.13.0', '2.16.0', '2.20.0', '2.38.0'])
      for (const { source } of Object.values(lmStudio(version).settings))
        expect(source).toMatch(/\w{4}/);
  });

  test('throws for a text that is not a version', () => {
    expect(() => lmStudio('new')).toThrow(RangeError);
    expect(() => resolveEngineProfile({ engine: 'llama.cpp', runtimeVersion: '1.2' })).toThrow(
      'such as b9849',
    );
  });

  test('of llama.cpp has no unknown setting, and its version was compared', () => {
    const profile = resolveEngineProfile({ engine: 'llama.cpp' });
    expect(profile.isCompared).toBe(true);
    for (const { alternatives } of Object.values(profile.settings))
      expect(alternatives).toEqual([]);
  });

  test('takes known settings from the load configuration of an instance first', () => {
    const values = { flashAttention: false, contextLengthTokens: 20_000, swaFull: null };
    const { settings } = withKnownSettings(lmStudio('2.28.2'), values, 'the instance');
    expect(settings.flashAttention).toEqual({
      value: false,
      alternatives: [],
      source: 'the instance',
    });
    expect(settings.contextLengthTokens.value).toBe(20_000);
    expect(settings.swaFull.alternatives).toEqual([true]);
  });

  test('is described in the README, with every version at which a default changes', () => {
    const read = (file: string) => readFileSync(join(__dirname, file), 'utf8');
    const versions = [
      ...read('lmstudio-profile.ts').matchAll(/(?:since|unsure(?:<[^>]*>)?)\(\s*'(\d[\d.]+\d)'/g),
    ];
    expect(versions.length).toBeGreaterThan(20);
    const readme = read('../../README.md');
    for (const [, version = ''] of versions) expect(readme).toContain(version);
  });
});

describe('the settings of a load', () => {
  test('are the given settings, then the defaults of the profile, each with its source', () => {
    const given = { ...NO_SETTINGS, contextLengthTokens: 1024, flashAttention: true };
    const { settings, fromProfile } = chooseSettings(lmStudio('2.28.2'), given, FACTS);
    expect(settings).toMatchObject({ contextLengthTokens: 1024, parallelSequences: 4 });
    const names = fromProfile.map(({ setting }) => setting);
    expect(names).not.toContain('contextLengthTokens');
    expect(names).not.toContain('flashAttention');
    expect(fromProfile).toContainEqual({
      setting: 'swaFull',
      value: false,
      isKnown: false,
      alternatives: [true],
      source: 'no log of a windowed cache from the engine that runs llama-server',
    });
  });

  test('have a low and a high value where a default is not known', () => {
    const { ends, isCertain } = chooseSettings(lmStudio('2.28.2'), NO_SETTINGS, FACTS);
    expect(isCertain).toBe(false);
    expect(ends.low).toMatchObject({ flashAttention: true, swaFull: false });
    expect(ends.high).toMatchObject({ flashAttention: false, swaFull: true });
  });

  test('are certain where the load does not use the settings that are not known', () => {
    const given = { ...NO_SETTINGS, flashAttention: true };
    expect(chooseSettings(lmStudio('2.37.0'), given, FACTS).isCertain).toBe(true);
  });

  test('have flash attention on where values are quantized', () => {
    const given = { ...NO_SETTINGS, kvCacheTypeV: 'q8_0' } as const;
    const chosen = chooseSettings(lmStudio('2.37.0', 'metal'), given, FACTS);
    expect(chosen.settings.flashAttention).toBe(true);
    expect(chosen.isCertain).toBe(true);
  });
});
