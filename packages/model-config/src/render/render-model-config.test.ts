import fc from 'fast-check';
import { downloadedModel } from '../../test/downloaded.js';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { resolveChain } from '../chain.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import { describeFields } from '../format/field-help.js';
import type { ModelConfig } from '../model-config.js';
import { mergeWithDownloaded } from '../profile/merge-with-downloaded.js';
import type { QualityUse } from '../quality/model-facts.js';
import { renderModelConfig, type RenderOptions } from './render-model-config.js';

const GIB = 1024 ** 3;

function parsed(text: string): ModelConfig {
  const { config, issues } = parseModelConfig(text);
  if (config === null) throw new Error(`${text}\n${JSON.stringify(issues, null, 2)}`);
  return config;
}

describe('the file for the downloaded models', () => {
  const downloaded = [
    downloadedModel('qwen/qwen3-4b-2507', {
      displayName: 'Qwen3 4B 2507',
      parameters: '4B',
      sizeBytes: 2_497_280_448,
      maxContextLengthTokens: 262_144,
      toolUse: true,
    }),
    downloadedModel('someone/their-coder-30b', {
      displayName: 'Their Coder: 30B',
      sizeBytes: 18 * GIB,
      maxContextLengthTokens: 32_768,
    }),
  ];

  it('marks guesses, and explains each field that can be changed', () => {
    const text = renderModelConfig(downloaded);
    expect(text.slice(0, text.indexOf('#   key'))).toBe(
      `# yaml-language-server: $schema=node_modules/@mai/model-config/schema.json
#
# Mai's configuration: which models it may choose from, in which order it prefers them, and when it
# switches. This file was written for the models that LM Studio has. You can change everything in it.
# The command \`mai config check\` explains every mistake.
#
# The fields of a model. Only key is required:
#
`,
    );
    expect(text.slice(text.indexOf('version: 1'), text.indexOf('# Lists of model keys'))).toBe(
      `version: 1

models:
  # Q4_K_M, 18.0 GiB on disk, up to 32768 tokens of context, category and capabilities are guesses from its size and name
  - key: someone/their-coder-30b
    display_name: "Their Coder: 30B"
    category: large
    context_window: 8192
    capabilities: [chat, analysis, coding]

  # 4B, Q4_K_M, 2.3 GiB on disk, up to 262144 tokens of context
  - key: qwen/qwen3-4b-2507
    display_name: Qwen3 4B
    description: Fast general chat with reasoning
    category: medium
    context_window: 8192
    max_output_tokens: 2048
    capabilities: [chat, reasoning, tools]
    load: { flash_attention: true, kv_cache: q8_0 }

`,
    );
    expect(text.slice(text.indexOf('fallback_chains:'), text.indexOf('# When to switch'))).toBe(
      `fallback_chains:
  default: # used unless --chain names another chain
    - someone/their-coder-30b
    - qwen/qwen3-4b-2507
    - downloaded:chat
  coding: # --chain coding
    - someone/their-coder-30b
    - downloaded:coding
  reasoning: # --chain reasoning
    - qwen/qwen3-4b-2507
    - downloaded:reasoning

`,
    );
  });

  it('orders each chain by quality, or by the given value, whatever the tier', () => {
    const sized = (modelKey: string, gib: number, parameters: string) =>
      downloadedModel(modelKey, { sizeBytes: gib * GIB, parameters, toolUse: true });
    const models = [
      sized('meta-llama-3.1-8b-instruct', 4.6, '8B'),
      sized('openai/gpt-oss-20b', 11.3, '20B'),
      sized('microsoft/phi-4', 8.4, '15B'),
      sized('qwen/qwen3-4b-thinking-2507', 2.3, '4B'),
      downloadedModel('mystery', { sizeBytes: 30 * GIB }),
      downloadedModel('text-embedding-nomic-embed-text-v1.5', { kind: 'embedding', sizeBytes: 1 }),
    ];
    const chainOf = (name: string, options: RenderOptions = {}) =>
      parsed(renderModelConfig(models, options)).fallbackChains[name]?.flatMap((entry) =>
        entry.kind === 'model' ? [entry.modelKey] : [],
      );
    expect(chainOf('default')).toEqual([
      'openai/gpt-oss-20b',
      'qwen/qwen3-4b-thinking-2507',
      'meta-llama-3.1-8b-instruct',
      'microsoft/phi-4',
      'mystery',
    ]);
    expect(chainOf('reasoning')).toEqual(['openai/gpt-oss-20b', 'qwen/qwen3-4b-thinking-2507']);
    expect(chainOf('embedding')).toEqual(['text-embedding-nomic-embed-text-v1.5']);
    const valueOfModel = (modelKey: string, use: QualityUse) =>
      use === 'general' ? (['microsoft/phi-4', 'mystery'].indexOf(modelKey) + 1) / 2 : null;
    expect(chainOf('default', { valueOfModel })?.slice(0, 2)).toEqual([
      'mystery',
      'microsoft/phi-4',
    ]);
  });

  it('explains every field of a model, of load and of switching', () => {
    // Removes line breaks and comment signs, so that wrapped texts can be found.
    const words = renderModelConfig(downloaded).replaceAll(/\n *#? */g, ' ');
    for (const section of ['ModelSection', 'LoadSection', 'SwitchingSection'] as const) {
      for (const { name, description } of describeFields(section)) {
        expect(words).toContain(description);
        expect(words).toContain(name);
      }
    }
  });

  it('leaves out a model whose key a chain would read as a reference', () => {
    const odd = downloadedModel('chain:x');
    expect(renderModelConfig([odd, ...downloaded])).toBe(renderModelConfig(downloaded));
    expect(renderModelConfig([odd])).toBe(renderModelConfig([]));
  });

  it('without an address of a schema, has no $schema line', () => {
    expect(renderModelConfig(downloaded, { schema: null })).toMatch(/^# Mai's configuration: /);
    const builtIn = renderModelConfig([], { schema: null });
    expect(builtIn).toMatch(/^# The built-in configuration of Mai\./);
    expect(parsed(builtIn)).toEqual(builtInModelConfig());
  });

  it('has every default of switching written out', () => {
    expect(parsed(renderModelConfig(downloaded)).switching).toEqual(
      parsed('version: 1\nmodels: []').switching,
    );
  });

  it('is the built-in configuration where nothing is downloaded', () => {
    const text = renderModelConfig([], { schema: 'https://example.test/schema.json' });
    expect(text).toMatch(
      /^# yaml-language-server: \$schema=https:\/\/example\.test\/schema\.json\n/,
    );
    expect(parsed(text)).toEqual(builtInModelConfig());
  });
});

describe('a rendered file', () => {
  const key = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 24 })
    .filter((name) => /^(?!chain:|downloaded:)\S(.*\S)?$/.test(name));
  const download = fc.record({
    key: fc.oneof(
      key,
      fc.constantFrom('true', 'null', '1', '1e3', '~', 'a: b', '#x', '*x', '- x', 'a@q8_0'),
    ),
    displayName: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a\nb: c', '# x\u2028y', 'yes', '"'),
    ),
    parameters: fc.option(fc.string({ unit: 'binary' })),
    sizeBytes: fc.nat(),
    vision: fc.boolean(),
    kind: fc.constantFrom('llm' as const, 'embedding' as const),
    maxContextLengthTokens: fc.option(fc.integer({ min: 1, max: 2 ** 20 })),
  });

  it('is parsed to the profiles that it was rendered from', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(download, { selector: (model) => model.key, minLength: 1, maxLength: 6 }),
        (list) => {
          const models = list.map(({ key: name, ...facts }) =>
            downloadedModel(name, { ...facts, displayName: facts.displayName.trim() || 'x' }),
          );
          const config = parsed(renderModelConfig(models));
          expect(config.models.map(({ modelKey }) => modelKey).sort()).toEqual(
            models.map(({ modelKey }) => modelKey).sort(),
          );
          const before = mergeWithDownloaded(builtInModelConfig(), models);
          const after = mergeWithDownloaded(config, models);
          for (const profile of after) {
            const {
              configured: _c,
              derivedFields: _d,
              minMemoryBytes: _m,
              minVramBytes: _v,
              ...rest
            } = profile;
            expect(before.find(({ modelKey }) => modelKey === profile.modelKey)).toMatchObject(
              rest,
            );
          }
          expect(resolveChain(config, 'default', after)).not.toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });
});
