import fc from 'fast-check';
import { EXAMPLE } from '../../test/example-file.js';
import { builtInModelConfigText } from '../built-in/built-in-text.generated.js';
import { isModelConfigError } from '../diagnostics/model-config-error.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import type { ModelConfig } from '../model-config.js';
import { setFallbackChain } from './edit-chains.js';
import { addConfiguredModel, removeConfiguredModel } from './edit-models.js';
import { setConfigField } from './set-field.js';
import type { EditValue } from './yaml-source.js';

function parsed(text: string): ModelConfig {
  const { config, issues } = parseModelConfig(text);
  if (config === null) throw new Error(`${text}\n${JSON.stringify(issues, null, 2)}`);
  return config;
}

/** The lines that differ between two texts: `- old` and `+ new`, in order. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(old.length, now.length) - start &&
    old[old.length - 1 - end] === now[now.length - 1 - end]
  ) {
    end += 1;
  }
  return [
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...now.slice(start, now.length - end).map((line) => `+ ${line}`),
  ];
}

const model = 'qwen/qwen3-4b-2507';

describe('setting a field', () => {
  it.each<[path: (string | number)[], value: EditValue | null, expected: string[]]>([
    [
      ['switching', 'memory_percent'],
      84,
      [
        '-   memory_percent: 82.5          # of RAM, or of a unified pool',
        '+   memory_percent: 84          # of RAM, or of a unified pool',
      ],
    ],
    [
      ['models', model, 'category'],
      'large',
      [
        '-     category: medium              # small | medium | large',
        '+     category: large              # small | medium | large',
      ],
    ],
    [
      ['models', 0, 'context_window'],
      4096,
      ['-     context_window: 8192', '+     context_window: 4096'],
    ],
    [
      ['models', model, 'load', 'ttl'],
      '5m',
      [
        '-     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }',
        '+     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 5m }',
      ],
    ],
    [
      ['models', model, 'load', 'parallel'],
      4,
      [
        '-     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }',
        '+     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m, parallel: 4 }',
      ],
    ],
    [
      ['models', model, 'load', 'gpu_offload'],
      null,
      [
        '-     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }',
        '+     load: { flash_attention: true, kv_cache: q8_0, ttl: 10m }',
      ],
    ],
    [
      ['models', model, 'load', 'ttl'],
      null,
      [
        '-     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }',
        '+     load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0 }',
      ],
    ],
    [
      ['models', model, 'description'],
      null,
      ['-     description: Fast general chat with reasoning'],
    ],
    [
      ['models', model, 'description'],
      'chat: quick, [and] "good" # really',
      [
        '-     description: Fast general chat with reasoning',
        `+     description: 'chat: quick, [and] "good" # really'`,
      ],
    ],
    [
      ['models', 'qwen/qwen3-1.7b', 'capabilities'],
      ['chat', 'tools'],
      ['+     capabilities: [chat, tools]'],
    ],
    [
      ['models', 'qwen/qwen3-1.7b', 'load', 'kv_cache'],
      'q8_0',
      ['-       kv_cache: { k: f16, v: q4_0 }', '+       kv_cache: q8_0'],
    ],
    [['models', 'qwen/qwen3-1.7b', 'simulate', 'quality'], null, ['-       quality: 0.74']],
    [
      ['models', 'qwen/qwen3-1.7b', 'simulate'],
      null,
      [
        '-     simulate:',
        '-       footprint: 7.2GiB',
        '-       vram: 6.1GiB',
        '-       load_seconds: 9',
        '-       quality: 0.74',
        '-       rungs: [{ footprint: 6.0GiB, vram: 5.0GiB, quality: 0.72 }]',
      ],
    ],
    [['pins'], [], ['- pins: [qwen/qwen3-1.7b]', '+ pins: []']],
    [['pins'], null, ['- pins: [qwen/qwen3-1.7b]']],
    [
      ['rules'],
      null,
      ['- rules:', '-   - when: { process: blender }', '-     then: { tier: small }'],
    ],
    [['switching', 'not_there'], null, []],
  ])('%j = %j', (path, value, expected) => {
    expect(difference(EXAMPLE, setConfigField(EXAMPLE, path, value))).toEqual(expected);
  });

  it('adds the section that the field needs', () => {
    const text = '# mine\nversion: 1\nmodels: [{ key: a }] # one\n';
    expect(setConfigField(text, ['switching', 'dwell'], '5s')).toBe(
      `${text}switching:\n  dwell: 5s\n`,
    );
    expect(setConfigField(text, ['models', 'a', 'load', 'ttl'], '5m')).toBe(
      '# mine\nversion: 1\nmodels: [{ key: a, load: { ttl: 5m } }] # one\n',
    );
  });

  it('removes a section that becomes empty', () => {
    const text = 'version: 1\nmodels: []\nswitching:\n  dwell: 5s # quick\n';
    expect(setConfigField(text, ['switching', 'dwell'], null)).toBe('version: 1\nmodels: []\n');
  });

  it('keeps Windows line endings, and a last line without an ending', () => {
    const text = 'version: 1\r\nmodels: []\r\nswitching:\r\n  dwell: 5s';
    expect(setConfigField(text, ['switching', 'cool_down'], '9s')).toBe(
      `${text}\r\n  cool_down: 9s`,
    );
  });

  it('refuses an edit that would make the file invalid, and a file that is invalid', () => {
    expect(() => setConfigField(EXAMPLE, ['switching', 'memory_percent'], 95)).toThrow(
      'must be above',
    );
    expect(() => setConfigField(EXAMPLE, ['switching', 'memry'], 95)).toThrow('unknown key');
    expect(() => setConfigField('version: 9', ['version'], 1)).toThrow('must be 1');
    expect(() => setConfigField(EXAMPLE, ['models', 'x', 'category'], 'small')).toThrow(
      'no such item',
    );
  });

  it('refuses to change a section that is shared through an alias', () => {
    const text =
      'version: 1\nmodels:\n  - { key: a, load: &f { ttl: 1m } }\n  - { key: b, load: *f }\n';
    expect(() => setConfigField(text, ['models', 'b', 'load', 'ttl'], '2m')).toThrow('alias');
    expect(setConfigField(text, ['models', 'b', 'load'], { ttl: '2m' })).toContain(
      '{ key: b, load: { ttl: 2m } }',
    );
  });
});

describe('adding a model', () => {
  it('writes a model after the others, with a blank line if the others have one', () => {
    const entry = { key: 'a/b', category: 'small', load: { ttl: '10m' } } as const;
    expect(difference(EXAMPLE, addConfiguredModel(EXAMPLE, entry))).toEqual([
      '+   - key: a/b',
      '+     category: small',
      '+     load: { ttl: 10m }',
      '+ ',
    ]);
    const dense = 'version: 1\nmodels:\n- key: a\n- key: b # last\npins: [a]\n';
    expect(addConfiguredModel(dense, { key: 'c' })).toBe(
      'version: 1\nmodels:\n- key: a\n- key: b # last\n- key: c\npins: [a]\n',
    );
  });

  it('starts an empty list, and continues a list in brackets', () => {
    expect(
      addConfiguredModel('version: 1\nmodels: [] # none\n', { key: 'a', category: 'small' }),
    ).toBe('version: 1\nmodels: # none\n  - key: a\n    category: small\n');
    expect(addConfiguredModel('version: 1\nmodels: [{ key: a }]\n', { key: 'b' })).toBe(
      'version: 1\nmodels: [{ key: a }, { key: b }]\n',
    );
  });

  it('refuses a model that is configured already', () => {
    expect(() => addConfiguredModel(EXAMPLE, { key: model })).toThrow('configured twice');
  });
});

describe('removing a model', () => {
  it('removes a model from models, chains and pins, and keeps the comments', () => {
    const text = [
      'version: 1',
      'models:',
      '  # the big one',
      '  - key: a',
      '    category: large',
      '',
      '  # the small one',
      '  - key: b # tiny',
      'fallback_chains:',
      '  default: [a, b]',
      '  other:',
      '    - a # first',
      '    # second',
      '    - b',
      '  only: [a@q8_0]',
      'pins: [a]',
      '',
    ].join('\n');
    expect(removeConfiguredModel(text, 'a')).toBe(
      [
        'version: 1',
        'models:',
        '  # the big one',
        '',
        '  # the small one',
        '  - key: b # tiny',
        'fallback_chains:',
        '  default: [b]',
        '  other:',
        '    # second',
        '    - b',
        '',
      ].join('\n'),
    );
  });

  it('changes nothing where the model is not configured', () => {
    expect(removeConfiguredModel(EXAMPLE, 'x')).toBe(EXAMPLE);
  });

  it('leaves an empty list after the last model', () => {
    const text =
      'version: 1\nmodels: # mine\n  # one\n  - key: a\n    category: small\npins: [a]\n';
    expect(removeConfiguredModel(text, 'a')).toBe('version: 1\nmodels: [] # mine\n  # one\n');
    expect(addConfiguredModel('version: 1\nmodels: [] # mine\n  # one\n', { key: 'b' })).toBe(
      'version: 1\nmodels: # mine\n  - key: b\n  # one\n',
    );
  });

  it('restores the text that it had before the model was added', () => {
    for (const text of [EXAMPLE, builtInModelConfigText]) {
      const added = addConfiguredModel(text, { key: 'x/y', capabilities: ['chat'] });
      expect(removeConfiguredModel(added, 'x/y')).toBe(text);
    }
  });
});

describe('setting a chain', () => {
  it('keeps the lines of the entries that stay, with their comments', () => {
    const entries = ['chain:default', 'qwen/qwen3-1.7b', 'qwen/qwen3-4b-2507@q8_0'];
    expect(difference(EXAMPLE, setFallbackChain(EXAMPLE, 'coding', entries))).toEqual([
      '-     # first choice',
      '-     - qwen/qwen3-4b-2507@q8_0   # the better quantization',
      '-     - chain:default',
      '+     - chain:default',
      '+     - qwen/qwen3-1.7b',
      '+     # first choice',
      '+     - qwen/qwen3-4b-2507@q8_0   # the better quantization',
    ]);
  });

  it('keeps a one-line chain on one line', () => {
    expect(difference(EXAMPLE, setFallbackChain(EXAMPLE, 'default', ['qwen/qwen3-1.7b']))).toEqual([
      "-   default: [qwen/qwen3-4b-2507, qwen/qwen3-1.7b, 'downloaded:chat']",
      '+   default: [qwen/qwen3-1.7b]',
    ]);
  });

  it('adds a chain, and adds the section fallback_chains with the first chain', () => {
    expect(difference(EXAMPLE, setFallbackChain(EXAMPLE, 'vision', ['downloaded:vision']))).toEqual(
      ['+   vision: [downloaded:vision]'],
    );
    expect(setFallbackChain('version: 1\nmodels: [{ key: a }]\n', 'x', ['a'])).toBe(
      'version: 1\nmodels: [{ key: a }]\nfallback_chains:\n  x: [a]\n',
    );
  });

  it('removes a chain, unless another chain includes it', () => {
    const removed = setFallbackChain(EXAMPLE, 'coding', null);
    expect(Object.keys(parsed(removed).fallbackChains)).toEqual(['default']);
    expect(removed).not.toContain('coding:');
    const text = 'version: 1\nmodels: [{ key: a }]\nfallback_chains: { x: [a], y: [chain:x] }\n';
    expect(() => setFallbackChain(text, 'x', null)).toThrow('there is no chain "x"');
  });
});

describe('any sequence of edits', () => {
  const key = fc.constantFrom('a', 'b/c', 'd@q8_0', model, 'qwen/qwen3-1.7b', 'google/gemma-3-1b');
  const edit = fc.oneof(
    fc.tuple(fc.constant('add' as const), key),
    fc.tuple(fc.constant('remove' as const), key),
    fc.tuple(fc.constant('context' as const), key),
    fc.tuple(fc.constant('ttl' as const), key),
    fc.tuple(fc.constant('chain' as const), key),
    fc.tuple(fc.constant('dwell' as const), key),
  );
  const apply = (text: string, [kind, name]: [string, string]): string => {
    switch (kind) {
      case 'add':
        return addConfiguredModel(text, { key: name, description: 'it’s: [new] # x' });
      case 'remove':
        return removeConfiguredModel(text, name);
      case 'context':
        return setConfigField(text, ['models', name, 'context_window'], 4096);
      case 'ttl':
        return setConfigField(text, ['models', name, 'load', 'ttl'], '7m');
      case 'chain':
        return setFallbackChain(text, 'default', [name, 'downloaded:chat']);
      default:
        return setConfigField(text, ['switching', 'dwell'], name === 'a' ? null : '3s');
    }
  };

  it('gives a valid file with all comments that have a line of their own, or is refused', () => {
    const comments = (text: string): string[] => text.match(/^ *#.*$/gm) ?? [];
    fc.assert(
      fc.property(
        fc.constantFrom(EXAMPLE, builtInModelConfigText, EXAMPLE.replaceAll('\n', '\r\n')),
        fc.array(edit, { maxLength: 6 }),
        (original, edits) => {
          let text = original;
          for (const step of edits) {
            const before = text;
            try {
              text = apply(before, step);
            } catch (error) {
              if (!isModelConfigError(error)) throw error;
              continue;
            }
            const config = parsed(text);
            const names = config.models.map(({ modelKey }) => modelKey);
            if (step[0] === 'add') expect(names).toContain(step[1]);
            if (step[0] === 'remove') expect(names).not.toContain(step[1]);
            expect(
              comments(text)
                .map((line) => line.trim())
                .sort(),
            ).toEqual(
              comments(original)
                .map((line) => line.trim())
                .sort(),
            );
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
