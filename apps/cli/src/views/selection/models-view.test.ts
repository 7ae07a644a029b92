import type { ModelReport } from '@mai/host';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { createTextOutput } from '../../../test/fake-io.js';
import { renderModels } from './models-view.js';

const report = (modelKey: string, sources: ModelReport['sources']): ModelReport => ({
  profile: {
    modelKey,
    displayName: modelKey,
    description: null,
    tier: 'small',
    capabilities: ['chat'],
    quality: null,
    contextLengthTokens: 4096,
    maxContextLengthTokens: null,
    maxOutputTokens: null,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: DEFAULT_LOAD_CONFIG,
    ttlMs: null,
    architecture: null,
    sizeLabel: null,
    reasoning: null,
    quantization: null,
    downloaded: true,
    configured: false,
    derivedFields: [],
    refusal: null,
    expandedFrom: null,
  },
  sizeBytes: 1024 ** 3,
  loaded: false,
  footprint: null,
  rejection: null,
  cheaper: null,
  speed: null,
  quality: null,
  sources,
});

test('the programs that have a model stand in a column, each once', () => {
  const at = { name: 'x', path: '/x' };
  const models = [
    report('a:1b', [
      { store: 'ollama', ...at },
      { store: 'ollama', ...at },
      { store: 'huggingface', ...at },
    ]),
    report('b', [{ store: 'folder', ...at }]),
  ];
  const [header, first, second] = renderModels(models, createTextOutput()).split('\n');
  expect(header).toMatch(/FITS +IN +CAN/);
  expect(first).toMatch(/a:1b .* fits +ollama huggingface +chat/);
  expect(second).toMatch(/b .* fits +folder +chat/);
});

test('where LM Studio lists the models, the column is absent', () => {
  expect(renderModels([report('a', [])], createTextOutput())).not.toMatch(/ IN /);
});
