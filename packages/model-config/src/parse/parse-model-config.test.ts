import { formatIssue } from '../diagnostics/issue.js';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import fc from 'fast-check';
import { EXAMPLE } from '../../test/example-file.js';
import { SWITCHING_DEFAULTS } from '../format/switching-defaults.js';
import type { ModelConfig } from '../model-config.js';
import { toSelectionPolicy } from '../selection-policy.js';
import { parseModelConfig } from './parse-model-config.js';

const GIB = 1024 ** 3;

function parsed(text: string): ModelConfig {
  const { config, issues } = parseModelConfig(text, { file: 'models.yaml' });
  if (config === null) throw new Error(JSON.stringify(issues, null, 2));
  return config;
}

/** The error messages for a text; empty for a valid text. */
function refusal(text: string): string {
  const { issues } = parseModelConfig(text);
  return issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
}

const withSwitching = (...lines: string[]): string =>
  ['version: 1', 'models: []', 'switching:', ...lines.map((line) => `  ${line}`), ''].join('\n');
const withModel = (...lines: string[]): string =>
  ['version: 1', 'models:', '  - key: a/b', ...lines.map((line) => `    ${line}`), ''].join('\n');

describe('a valid file', () => {
  it('becomes bytes, milliseconds and ratios', () => {
    const config = parsed(EXAMPLE);
    expect(config.models[0]).toEqual({
      modelKey: 'qwen/qwen3-4b-2507',
      displayName: 'Qwen3 4B',
      description: 'Fast general chat with reasoning',
      tier: 'medium',
      capabilities: ['chat', 'reasoning'],
      quality: null,
      contextLengthTokens: 8192,
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
      simulate: null,
    });
    expect(config.models[1]).toMatchObject({
      tier: null,
      capabilities: null,
      quality: {
        general: null,
        chat: 0.4,
        coding: null,
        reasoning: null,
        tools: 0.3,
        vision: null,
      },
      contextLengthTokens: null,
      loadConfig: {
        contextLengthTokens: null,
        parallelSequences: 2,
        offloadRatio: 0.5,
        kvCacheTypeK: 'f16',
        kvCacheTypeV: 'q4_0',
        flashAttention: null,
        cpuExpertRatio: 0,
      },
      simulate: {
        footprintBytes: Math.round(7.2 * GIB),
        vramBytes: Math.round(6.1 * GIB),
        loadMs: 9000,
        quality: 0.74,
        rungs: [{ footprintBytes: 6 * GIB, vramBytes: 5 * GIB, quality: 0.72 }],
      },
    });
    expect(config.switching).toEqual({
      memoryLimitRatio: 0.825,
      vramLimitRatio: 0.9,
      cpuLimitRatio: 0.8,
      hardLimitRatio: 0.92,
      unifiedHardLimitRatio: 0.85,
      upgradeBelowRatioMin: 0.65,
      minHeadroomBytes: 1.5 * GIB,
      dwellMs: 20_000,
      coolDownMs: 90_000,
      idle: 'release',
      drainDeadlineMs: 45_000,
      foreign: 'evict-idle',
      foreignIdleMs: 300_000,
      growth: 'charge',
      goal: 'speed',
      minTokensPerSecond: 7.5,
    });
    expect(config.fallbackChains['coding']).toEqual([
      { kind: 'model', modelKey: 'qwen/qwen3-4b-2507@q8_0' },
      { kind: 'chain', name: 'default' },
    ]);
    expect(config.rules).toEqual([{ when: { process: 'blender' }, then: { tier: 'small' } }]);
    expect(config.pins).toEqual(['qwen/qwen3-1.7b']);
  });

  it('without a section switching, has exactly the default policy', () => {
    const { switching } = parsed('version: 1\nmodels: []');
    expect(toSelectionPolicy(switching)).toEqual(DEFAULT_SELECTION_POLICY);
    expect(switching).toEqual({
      ...DEFAULT_SELECTION_POLICY,
      idle: 'keep',
      drainDeadlineMs: 60_000,
    });
  });

  it('is the same if every default of switching is written out', () => {
    const lines = Object.entries(SWITCHING_DEFAULTS).map(([name, value]) => `${name}: ${value}`);
    expect(parsed(withSwitching(...lines))).toEqual(parsed('version: 1\nmodels: []'));
  });

  it('has one number of quality for every use, or one for each use', () => {
    const qualityOf = (value: string) => parsed(withModel(`quality: ${value}`)).models[0]?.quality;
    expect(qualityOf('0')).toMatchObject({ general: 0, vision: 0 });
    expect(qualityOf('{ coding: 1 }')).toMatchObject({ general: null, coding: 1 });
    expect(parsed(withModel('category: small')).models[0]?.quality).toBeNull();
  });

  it.each([
    ['1.1', 'models[0].quality: must be at most 1, not 1.1'],
    ['-0.1', 'models[0].quality: must be at least 0, not -0.1'],
    [
      'good',
      'models[0].quality: must be a number from 0 to 1, or { USE: number } where USE is one of general, chat, ' +
        'coding, reasoning, tools, vision, not "good"',
    ],
    ['{ code: 0.5 }', 'models[0].quality.code: unknown key "code"'],
    ['{ coding: 2 }', 'models[0].quality.coding: must be at most 1, not 2'],
  ])('refuses quality: %s', (value, message) => {
    const { config, issues } = parseModelConfig(withModel(`quality: ${value}`));
    expect(config).toBeNull();
    expect(issues.map(formatIssue).join('\n')).toContain(message);
  });

  it('distinguishes a model that needs no memory from a model whose memory is unknown', () => {
    const [model] = parsed(withModel('min_memory_gb: 0', 'min_vram_gb: 0')).models;
    expect([model?.minMemoryBytes, model?.minVramBytes]).toEqual([0, 0]);
    const [silent] = parsed(withModel('category: small')).models;
    expect([silent?.minMemoryBytes, silent?.minVramBytes]).toEqual([null, null]);
  });

  it('has a default chain of all models that can chat, unless the file defines one', () => {
    expect(parsed('version: 1\nmodels: []').fallbackChains).toEqual({
      default: [{ kind: 'downloaded', capability: 'chat', tier: null }],
    });
  });

  it('converts the section `fleet`; by default every chain may leave this machine, and guests may load at every hour', () => {
    const fleetOf = (...lines: string[]) =>
      parsed(['version: 1', 'models: []', ...lines].join('\n')).fleet;
    expect(fleetOf()).toEqual({
      labels: {},
      chains: null,
      requiredLabels: {},
      guests: { memoryRatio: 1, hours: null },
    });
    expect(
      fleetOf(
        'fleet:',
        '  labels: { site: attic }',
        '  chains: [default]',
        '  require: { owner: me }',
        '  guests: { memory_percent: 50, hours: 22:00-07:30 }',
      ),
    ).toEqual({
      labels: { site: 'attic' },
      chains: ['default'],
      requiredLabels: { owner: 'me' },
      guests: { memoryRatio: 0.5, hours: { fromMinute: 1320, toMinute: 450 } },
    });
  });

  it('is frozen deeply', () => {
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(visit);
    };
    visit(parsed(EXAMPLE));
  });

  it('may be JSON, have Windows line endings or a byte order mark', () => {
    const expected = parsed(EXAMPLE);
    expect(parsed(EXAMPLE.replaceAll('\n', '\r\n'))).toEqual(expected);
    expect(parsed(`\ufeff${EXAMPLE}`)).toEqual(expected);
    expect(parsed('{"version": 1, "models": [{"key": "a/b"}]}').models[0]?.modelKey).toBe('a/b');
  });

  it('may share a section through an anchor', () => {
    const config = parsed(
      'version: 1\nmodels:\n  - key: a\n    load: &fast { flash_attention: true }\n  - key: b\n    load: *fast\n',
    );
    expect(config.models[1]?.loadConfig.flashAttention).toBe(true);
  });
});

describe('limits that are equal or in the wrong order', () => {
  it.each([
    ['memory_percent: 0', 'switching.memory_percent: must be above 0, not 0'],
    ['memory_percent: 101', 'switching.memory_percent: must be at most 100, not 101'],
    ['cpu_percent: 100', ''],
    ['cpu_percent: .nan', 'switching.cpu_percent: must be a number, not NaN'],
    ['upgrade_below_percent_min: 78', ''],
    ['upgrade_below_percent_min: 0', ''],
    [
      'upgrade_below_percent_min: -1',
      'switching.upgrade_below_percent_min: must be at least 0, not -1',
    ],
    [
      'upgrade_below_percent_min: 78.5',
      'switching.upgrade_below_percent_min: upgrade_below_percent_min (78.5) must be at least 2 below memory_percent (80, the default)',
    ],
    [
      'memory_percent: 66',
      'switching.memory_percent: upgrade_below_percent_min (65, the default) must be at least 2 below memory_percent (66)',
    ],
    ['memory_percent: 67', ''],
    [
      'hard_limit_percent: 90',
      'switching.hard_limit_percent: hard_limit_percent (90) must be above vram_percent (90, the default)',
    ],
    ['hard_limit_percent: 90.1', ''],
    [
      'unified_hard_limit_percent: 80',
      'switching.unified_hard_limit_percent: unified_hard_limit_percent (80) must be above memory_percent (80, the default)',
    ],
    [
      'memory_percent: 85',
      'switching.memory_percent: unified_hard_limit_percent (85, the default) must be above memory_percent (85)',
    ],
    ['memory_percent: 84.9', ''],
  ])('%s', (line, expected) => {
    expect(refusal(withSwitching(line))).toBe(expected);
  });
});

describe('quantities', () => {
  it.each([
    ['min_headroom: 8 GB', ''],
    ['min_headroom: 512MiB', ''],
    ['min_headroom: 0B', ''],
    ['min_headroom: 8191TiB', ''],
    [
      'min_headroom: 8192TiB',
      'switching.min_headroom: must be a size such as 1GiB or 512MiB, not "8192TiB"',
    ],
    [
      'min_headroom: 1GiB free',
      'switching.min_headroom: must be a size such as 1GiB or 512MiB, not "1GiB free"',
    ],
    [
      'min_headroom: -1GiB',
      'switching.min_headroom: must be a size such as 1GiB or 512MiB, not "-1GiB"',
    ],
    ['min_headroom: 1', 'switching.min_headroom: must be a size such as 1GiB or 512MiB, not 1'],
    ['dwell: 1h30m', ''],
    ['dwell: 0s', ''],
    [
      'dwell: 10 min',
      'switching.dwell: must be a duration such as 20s, 10m or 1h30m, not "10 min"',
    ],
    ['dwell: 20', 'switching.dwell: must be a duration such as 20s, 10m or 1h30m, not 20'],
    ['dwell:', 'switching.dwell: must be a duration such as 20s, 10m or 1h30m, not nothing'],
  ])('%s', (line, expected) => {
    expect(refusal(withSwitching(line))).toBe(expected);
  });
});

describe('a model', () => {
  it.each([
    ['context_window: 1', ''],
    ['context_window: 0', 'models[0].context_window: must be at least 1, not 0'],
    ['context_window: 8192.5', 'models[0].context_window: must be a whole number, not 8192.5'],
    ['min_memory_gb: 4 GB', 'models[0].min_memory_gb: must be a number, not "4 GB"'],
    ['min_memory_gb: 0', ''],
    ['min_memory_gb: -1', 'models[0].min_memory_gb: must be at least 0, not -1'],
    ['min_vram_gb: 0', ''],
    ['min_vram_gb: -0.1', 'models[0].min_vram_gb: must be at least 0, not -0.1'],
    ['capabilities: []', 'models[0].capabilities: must not be empty'],
    ['capabilities: chat', 'models[0].capabilities: must be a list, not "chat"'],
    ['capabilities: [chat, chat]', 'models[0].capabilities[1]: "chat" is in the list already'],
    ['display_name: ""', 'models[0].display_name: must be some text, not ""'],
    ['load: { gpu_offload: 1.01 }', 'models[0].load.gpu_offload: must be at most 1, not 1.01'],
    [
      'load: { gpu_offload: full }',
      'models[0].load.gpu_offload: must be max, off, or a share of the layers from 0 to 1, not "full"',
    ],
    ['load: { gpu_offload: 1 }', ''],
    ['load: { ttl: 0.5s }', ''],
    [
      'load: { ttl: 0s }',
      'models[0].load.ttl: must be a duration above 0, such as 20s, 10m or 1h30m, not "0s"',
    ],
    ['load: { ttl: 0.1ms }', ''],
    [
      'load: { ttl: 0h 0s }',
      'models[0].load.ttl: must be a duration above 0, such as 20s, 10m or 1h30m, not "0h 0s"',
    ],
    ['load: { parallel: 0 }', 'models[0].load.parallel: must be at least 1, not 0'],
    ['load: { flash_attention: false, kv_cache: f16 }', ''],
    [
      'load: { flash_attention: false, kv_cache: q8_0 }',
      'models[0].load.flash_attention: a q8_0 V cache needs flash attention, and flash_attention is false here',
    ],
    ['load: { flash_attention: false, kv_cache: { k: q8_0, v: f16 } }', ''],
    ['simulate: { footprint: 4GiB, vram: 4GiB }', ''],
    [
      'simulate: { footprint: 4GiB, vram: 4.1GiB }',
      'models[0].simulate.vram: vram (4.1GiB) is more than footprint (4GiB)',
    ],
    [
      'simulate: { rungs: [{ quality: 0.5 }] }',
      'models[0].simulate.rungs[0].footprint: "footprint" is missing',
    ],
  ])('%s', (line, expected) => {
    expect(refusal(withModel(line))).toBe(expected);
  });

  it('may not have a longer answer than its context', () => {
    expect(refusal(withModel('context_window: 2048', 'max_output_tokens: 2048'))).toBe('');
    expect(refusal(withModel('context_window: 2048', 'max_output_tokens: 2049'))).toBe(
      'models[0].max_output_tokens: max_output_tokens (2049) is more than context_window (2048)',
    );
  });

  it('may be configured only once', () => {
    expect(refusal('version: 1\nmodels: [{ key: a }, { key: b }, { key: a }]')).toBe(
      'models[2].key: "a" is configured twice, first as models[0]',
    );
  });

  it('may not have a key that a chain would read as a reference', () => {
    expect(refusal('version: 1\nmodels: [{ key: chain:a }]')).toBe(
      'models[0].key: must be a model key as LM Studio lists it, not "chain:a"',
    );
  });
});

describe('chains and pins', () => {
  const chains = (...lines: string[]): string =>
    [
      'version: 1',
      'models: [{ key: a }, { key: b }]',
      'fallback_chains:',
      ...lines.map((line) => `  ${line}`),
    ].join('\n');

  it.each([
    ['default: [a, b]', ''],
    ['default: [a, b@q8_0]', ''],
    ['default: [a, c]', 'fallback_chains.default[1]: no model "c" is configured'],
    ['default: [a, b, a]', 'fallback_chains.default[2]: "a" is in the chain already'],
    ['default: []', 'fallback_chains.default: must not be empty'],
    ['x: [chain:default]', ''],
    ['x: [chain:y]', 'fallback_chains.x[0]: there is no chain "y"'],
    ['x: [downloaded:chat:large]', ''],
    ['x: [downloaded:chat:huge]', 'fallback_chains.x[0]: there is no category "huge"'],
    ['x: ["downloaded:chat:"]', 'fallback_chains.x[0]: there is no category ""'],
    ['x: [downloaded:speech]', 'fallback_chains.x[0]: there is no capability "speech"'],
    ['x: [chain:x]', 'fallback_chains.x[0]: the chain includes itself: x -> x'],
    [
      '{ x: [chain:y], y: [a, chain:z], z: [chain:x] }',
      'fallback_chains.z[0]: the chain includes itself: x -> y -> z -> x',
    ],
    [
      '{ x: [chain:y], y: [chain:z], z: [chain:y] }',
      'fallback_chains.z[0]: the chain includes itself: y -> z -> y',
    ],
    ['{ x: [chain:z, chain:y], y: [chain:z], z: [a] }', ''],
    [
      '"a b": [a]',
      'fallback_chains["a b"]: must be a chain name of letters, digits, dots, dashes and underscores, not "a b"',
    ],
    ['__proto__: [a]', 'fallback_chains.__proto__: "__proto__" cannot be the name of a chain'],
  ])('%s', (line, expected) => {
    expect(refusal(chains(line))).toBe(expected);
  });

  it('may pin only configured models, each once', () => {
    expect(refusal('version: 1\nmodels: [{ key: a }]\npins: [a, b, a]')).toBe(
      'pins[1]: no model "b" is configured; pins[2]: "a" is pinned already',
    );
  });

  it('may list each model folder once', () => {
    const file = (folders: string): string => `version: 1\nmodels: []\nmodel_folders: ${folders}`;
    expect(refusal(file('[/m, ~/m, /m/]'))).toBe('model_folders[2]: "/m/" is listed already');
    expect(parsed(file("[/, ~/, ~/m, 'C:\\m', '\\\\server\\m']")).modelFolders).toEqual([
      '/',
      '~/',
      '~/m',
      'C:\\m',
      '\\\\server\\m',
    ]);
    expect(parsed('version: 1\nmodels: []').modelFolders).toEqual([]);
  });

  it.each(['models', './models', '~other/models', '', 'C:models'])(
    'may not list the model folder %j, which is not an absolute path',
    (folder) => {
      expect(refusal(`version: 1\nmodels: []\nmodel_folders: ['${folder}']`)).toBe(
        `model_folders[0]: must be an absolute path of a folder, or a path that begins with ~/, not ${JSON.stringify(folder)}`,
      );
    },
  );

  it('have no chain under the name of an inherited property', () => {
    expect(parsed('version: 1\nmodels: []').fallbackChains['constructor']).toBeUndefined();
  });
});

describe('any text', () => {
  it('is parsed, or refused with issues whose positions are within the text, and nothing is thrown', () => {
    const fragments = fc.constantFrom(
      'version: 1\n',
      'models:\n',
      '  - key: a\n',
      '    load: ',
      '{',
      '}',
      '[',
      ']',
      ': ',
      '- ',
      '\n',
      '  ',
      '\t',
      '&x ',
      '*x',
      '"',
      "'",
      '|\n',
      '# c\n',
      'fallback_chains:\n',
      '  default: [a]\n',
      'switching:\n',
      '  dwell: 1s\n',
      '\u0000',
      '---\n',
      '!!binary ',
      '<<: *x',
      '\ud800',
      '💥',
      '? ',
      '%YAML 1.1\n',
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 24 }), (parts) => {
        const text = parts.join('');
        const { config, issues } = parseModelConfig(text);
        expect(config === null).toBe(issues.length > 0);
        const lines = text.split(/\r\n|\n|\r/);
        for (const { line, column, message } of issues) {
          expect(lines[(line ?? 0) - 1]?.length ?? -1).toBeGreaterThanOrEqual((column ?? 0) - 1);
          expect(message).not.toMatch(/\n|undefined|\[object/);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('is refused where aliases of aliases would grow without bound', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let letter = 1; letter < 9; letter += 1) {
      const [name, held] = [String.fromCharCode(97 + letter), String.fromCharCode(96 + letter)];
      bomb.push(`${name}: &${name} [${`*${held}, `.repeat(9)}*${held}]`);
    }
    expect(parseModelConfig(bomb.join('\n')).issues).toMatchObject([
      { code: 'SYNTAX', message: 'aliases of aliases would make this file too large to be read' },
    ]);
  });
});
