import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Tier } from '@mai/memory-ledger';
import { downloadedModel } from '../../test/downloaded.js';
import { resolveChain } from '../chain.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import { deriveTier } from '../profile/derive.js';
import { mergeWithDownloaded } from '../profile/merge-with-downloaded.js';
import { qualityOf } from '../quality/quality-of.js';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { builtInModelConfigText } from './built-in-text.generated.js';

const workspace = path.join(__dirname, '..', '..', '..', '..');
const config = builtInModelConfig();

interface Figures {
  readonly fields: {
    readonly category: Tier;
    readonly min_memory_gb: number;
    readonly min_vram_gb: number;
    readonly context_window: number;
    readonly max_output_tokens?: number;
  };
  readonly parts: {
    readonly parameters: number;
    readonly languageBytes: number;
    readonly visionBytes: number;
  };
}

function compute(...flags: string[]): string {
  const script = path.join(workspace, 'tools', 'compute-model-figures.mjs');
  return execFileSync(process.execPath, [script, ...flags], { encoding: 'utf8' });
}

describe('the built-in configuration', () => {
  it('is the content of config/models.yaml, both as text and parsed', () => {
    const text = readFileSync(path.join(workspace, 'config', 'models.yaml'), 'utf8');
    expect(builtInModelConfigText).toBe(text);
    expect(parseModelConfig(text, { file: 'config/models.yaml' })).toEqual({ config, issues: [] });
  });

  it.each(['model_folders: [~/models]', 'switching: { dwell: 5s }', 'pins: [qwen/qwen3-8b]', ''])(
    'is the configuration of a file without models: %s',
    (line) => {
      const { config: parsed, issues } = parseModelConfig(`version: 1\n${line}\n`);
      expect(issues).toEqual([]);
      expect(parsed?.models).toEqual(config.models);
      expect(parsed?.fallbackChains).toEqual(config.fallbackChains);
    },
  );

  it('keeps its other chains where a file without models defines one', () => {
    const text = 'version: 1\nfallback_chains: { default: [chain:coding, qwen/qwen3-8b] }\n';
    expect(parseModelConfig(text).config?.fallbackChains).toEqual({
      ...config.fallbackChains,
      default: [
        { kind: 'chain', name: 'coding' },
        { kind: 'model', modelKey: 'qwen/qwen3-8b' },
      ],
    });
  });

  it('does not apply where a file has an empty list of models', () => {
    const parsed = parseModelConfig('version: 1\nmodels: []\n').config;
    expect(parsed?.models).toEqual([]);
    expect(parsed?.fallbackChains).toEqual({
      default: [{ kind: 'downloaded', capability: 'chat', tier: null }],
    });
  });

  it('names its models where a file without models refers to one that does not exist', () => {
    const { issues } = parseModelConfig('version: 1\npins: [qwen/qwen3-8c]\n');
    expect(issues).toMatchObject([
      { path: 'pins[0]', suggestion: 'did you mean "qwen/qwen3-8b"?' },
    ]);
    expect(parseModelConfig('version: 1\nfallback_chains: [qwen/qwen3-8b]\n').issues).toMatchObject(
      [{ path: 'fallback_chains' }],
    );
  });

  it('covers at least 20 models, all tiers and capabilities, and the five chains', () => {
    expect(config.models.length).toBeGreaterThanOrEqual(20);
    expect(new Set(config.models.map(({ tier }) => tier))).toEqual(
      new Set(['small', 'medium', 'large']),
    );
    expect(new Set(config.models.flatMap(({ capabilities }) => capabilities))).toEqual(
      new Set(['chat', 'reasoning', 'analysis', 'coding', 'tools', 'vision', 'embedding']),
    );
    expect(Object.keys(config.fallbackChains)).toEqual([
      'default',
      'coding',
      'reasoning',
      'vision',
      'embedding',
    ]);
  });

  it.each([
    ['default', 'general'],
    ['coding', 'coding'],
    ['reasoning', 'reasoning'],
    ['vision', 'vision'],
  ] as const)('orders the chain %s as published results do: %s', (name, use) => {
    const published = (config.fallbackChains[name] ?? []).flatMap((entry) => {
      const model = config.models.find(
        ({ modelKey }) => entry.kind === 'model' && entry.modelKey === modelKey,
      );
      if (model === undefined) return [];
      const unknown = { architecture: null, parameters: null, activeParameters: null };
      const facts = {
        ...model,
        ...unknown,
        baseModels: [],
        sizeLabel: null,
        quantization: null,
        reasoning: null,
        fileName: null,
      };
      const quality = qualityOf({ ...facts, capabilities: model.capabilities ?? [] }, use);
      return quality?.source === 'published' ? [quality.quality] : [];
    });
    expect(published.length).toBeGreaterThan(1);
    const pairs = published.flatMap((one, index) =>
      published.slice(index + 1).map((later) => Math.sign(one - later)),
    );
    // Kendall's tau. `npm run bench:quality` prints the order and each figure.
    expect(pairs.reduce<number>((sum, sign) => sum + sign, 0) / pairs.length).toBeGreaterThan(0.88);
  });

  it('prefers a large unknown model to a small known model', () => {
    const profiles = mergeWithDownloaded(config, [
      downloadedModel('llama-3.2-1b-instruct', { sizeBytes: 2 ** 30 }),
      downloadedModel('acme/unheard-of', { sizeBytes: 18 * 2 ** 30 }),
    ]);
    const chosen = (resolveChain(config, 'default', profiles) ?? [])
      .filter(({ downloaded }) => downloaded)
      .map(({ modelKey }) => modelKey);
    expect(chosen).toEqual(['acme/unheard-of', 'llama-3.2-1b-instruct']);
  });

  it('lists in each chain only models with the capability of the chain', () => {
    const capabilities = new Map(
      config.models.map((model) => [model.modelKey, model.capabilities]),
    );
    for (const [name, entries] of Object.entries(config.fallbackChains)) {
      for (const entry of entries) {
        if (entry.kind !== 'model') continue;
        expect([entry.modelKey, capabilities.get(entry.modelKey)]).toEqual([
          entry.modelKey,
          expect.arrayContaining([name === 'default' ? 'chat' : name]),
        ]);
      }
    }
  });
});

describe('the figures of the built-in configuration', () => {
  const figures: Record<string, Figures> = JSON.parse(compute('--json'));

  it('equal those computed from the hyper-parameters', () => {
    expect(() => compute('--check')).not.toThrow();
    const gib = (bytes: number | null): number => Number(((bytes ?? 0) / 1024 ** 3).toFixed(6));
    expect(
      Object.fromEntries(
        config.models.map((model) => [
          model.modelKey,
          {
            category: model.tier,
            min_memory_gb: gib(model.minMemoryBytes),
            min_vram_gb: gib(model.minVramBytes),
            context_window: model.contextLengthTokens,
            ...(model.maxOutputTokens === null ? {} : { max_output_tokens: model.maxOutputTokens }),
          },
        ]),
      ),
    ).toEqual(
      Object.fromEntries(Object.entries(figures).map(([key, { fields }]) => [key, fields])),
    );
  });

  it('have the tier that a downloaded file of this size would get', () => {
    for (const [key, { fields, parts }] of Object.entries(figures)) {
      expect([key, deriveTier(parts.languageBytes + parts.visionBytes, key)]).toEqual([
        key,
        fields.category,
      ]);
    }
  });

  // Sizes that llama.cpp (commit de3ff815) reports when it loads files of these shapes.
  it.each([
    ['google/gemma-3-1b', 799_525_120],
    ['qwen/qwen3-8b', 5_021_827_072],
    ['openai/gpt-oss-20b', 12_096_558_336],
  ])('are the bytes of weights that llama.cpp loads for %s', (key, weightsBytes) => {
    expect(figures[key]?.parts.languageBytes).toBe(weightsBytes);
  });

  // Sizes of published files. Besides the weights, the files contain a vocabulary of some MB and
  // metadata.
  it.each([
    ['qwen/qwen3-4b-2507', 2_497_280_448],
    ['meta-llama-3.1-8b-instruct', 4_920_739_232],
    ['llama-3.2-1b-instruct', 807_694_464],
  ])('are within 12 MB of the published file of %s', (key, fileBytes) => {
    const bytes = figures[key]?.parts.languageBytes ?? 0;
    expect(bytes).toBeLessThan(fileBytes);
    expect(fileBytes - bytes).toBeLessThan(12_000_000);
  });
});
