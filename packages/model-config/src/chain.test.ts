import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { downloadedModel } from '../test/downloaded.js';
import { chain, chainCapability, resolveChain } from './chain.js';
import { parseModelConfig } from './parse/parse-model-config.js';
import type { ModelConfig } from './model-config.js';
import { mergeWithDownloaded } from './profile/merge-with-downloaded.js';
import { toSelectionPolicy } from './selection-policy.js';

const GIB = 1024 ** 3;

function config(chains: string): ModelConfig {
  const text = `version: 1\nmodels: [{ key: a }, { key: b }, { key: c }]\nfallback_chains: ${chains}`;
  const result = parseModelConfig(text);
  if (result.config === null) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

const keysOf = (config: ModelConfig, downloaded = [downloadedModel('a')], name = 'default') =>
  resolveChain(config, name, mergeWithDownloaded(config, downloaded))?.map(
    ({ modelKey }) => modelKey,
  );

describe('a chain', () => {
  it('contains the steps of the chains that it includes, and each model once, at its first place', () => {
    const nested = config(
      '{ default: [c, chain:x, b], x: [a, chain:y], y: [c, b, downloaded:chat] }',
    );
    expect(chain(nested, 'default')).toEqual([
      { kind: 'model', modelKey: 'c' },
      { kind: 'model', modelKey: 'a' },
      { kind: 'model', modelKey: 'b' },
      { kind: 'downloaded', capability: 'chat', tier: null },
    ]);
  });

  it('is null where no chain has this name', () => {
    expect(chain(config('{ default: [a] }'), 'defualt')).toBeNull();
    expect(resolveChain(config('{ default: [a] }'), 'constructor', [])).toBeNull();
  });

  it('resolves to profiles, including those of models that are not downloaded', () => {
    expect(keysOf(config('{ default: [b, a] }'))).toEqual(['b', 'a']);
  });

  it('gets the downloaded models that it does not name, large before small', () => {
    const downloaded = [
      downloadedModel('tiny', { sizeBytes: GIB }),
      downloadedModel('huge', { sizeBytes: 30 * GIB }),
      downloadedModel('vectors', { kind: 'embedding' }),
      downloadedModel('a', { sizeBytes: 3 * GIB }),
      downloadedModel('c', { sizeBytes: 9 * GIB }),
    ];
    expect(keysOf(config('{ default: [b, downloaded:chat, a] }'), downloaded)).toEqual([
      'b',
      'c',
      'huge',
      'tiny',
      'a',
    ]);
    expect(keysOf(config('{ default: [downloaded:embedding] }'), downloaded)).toEqual(['vectors']);
    expect(
      keysOf(config('{ default: [downloaded:chat:large, a, downloaded:chat] }'), downloaded),
    ).toEqual(['c', 'huge', 'a', 'tiny']);
  });

  it('gets the downloaded models of a tier by quality, and those of unknown quality last', () => {
    const downloaded = [
      downloadedModel('mystery', { sizeBytes: 29 * GIB }),
      downloadedModel('google/gemma-3-27b', { parameters: '27B', sizeBytes: 16 * GIB }),
      downloadedModel('openai/gpt-oss-20b', { parameters: '20B', sizeBytes: 12 * GIB }),
      downloadedModel('mistralai/mistral-7b-instruct-v0.3', { sizeBytes: 4 * GIB }),
      downloadedModel('qwen/qwen3-8b', { parameters: '8B', sizeBytes: 5 * GIB }),
    ];
    expect(keysOf(config('{ default: [downloaded:chat] }'), downloaded)).toEqual([
      'openai/gpt-oss-20b',
      'google/gemma-3-27b',
      'mystery',
      'qwen/qwen3-8b',
      'mistralai/mistral-7b-instruct-v0.3',
    ]);
  });

  it('gets the downloaded models by the quality that the file states', () => {
    const own = parseModelConfig(
      `version: 1
models:
  - { key: qwen/qwen3-8b, quality: 0.1 }
  - { key: mistralai/mistral-7b-instruct-v0.3, quality: { coding: 0, general: 0.2 } }
fallback_chains: { default: [downloaded:chat] }`,
    ).config;
    if (own === null) throw new Error('The file is not valid.');
    const downloaded = own.models.map(({ modelKey }) => downloadedModel(modelKey));
    expect(keysOf(own, downloaded)).toEqual([
      'mistralai/mistral-7b-instruct-v0.3',
      'qwen/qwen3-8b',
    ]);
  });
});

describe('the policy of a decision', () => {
  it('has the fields of switching, except those that only the loop reads', () => {
    const { switching } = config('{ default: [a] }');
    expect(toSelectionPolicy(switching)).toEqual(DEFAULT_SELECTION_POLICY);
    expect(toSelectionPolicy({ ...switching, dwellMs: 1 })).toEqual({
      ...DEFAULT_SELECTION_POLICY,
      dwellMs: 1,
    });
  });
});

describe('the capability of a chain', () => {
  const of = (chains: string, name: string) => chainCapability(config(chains), name);

  it('is that of its first entry of downloaded models, also in a chain that it includes', () => {
    expect(of('{ default: [a], x: [a, downloaded:coding:large, downloaded:chat] }', 'x')).toBe(
      'coding',
    );
    expect(of('{ default: [a], x: [a, chain:y], y: [downloaded:vision] }', 'x')).toBe('vision');
  });

  it('is the capability with the name of the chain, where the chain names models only', () => {
    expect(of('{ default: [a], coding: [b, a] }', 'coding')).toBe('coding');
  });

  it('is null otherwise', () => {
    expect(of('{ default: [a] }', 'default')).toBeNull();
    expect(of('{ default: [a] }', 'missing')).toBeNull();
  });
});
