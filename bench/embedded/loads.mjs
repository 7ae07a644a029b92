// The loads that are compared: a model of small-models.mjs and a load configuration. Each configuration changes a few
// settings of BASE. The processor fills every cache completely, so contexts are short.
const BASE = {
  context: 512,
  parallel: 2,
  kvK: 'f16',
  kvV: 'f16',
  flashAttention: null,
  embedding: false,
};

export const LOADS = [
  ['llama', {}],
  ['llama', { context: 1024, parallel: 1, flashAttention: false }],
  ['llama', { kvK: 'q8_0', kvV: 'q8_0' }],
  ['llama', { kvK: 'q8_0', kvV: 'q4_0', parallel: 4, context: 256 }],
  ['llama', { kvK: 'f32', kvV: 'f32' }],
  ['llama-tied', { parallel: 1 }],
  ['llama-wide', { context: 256 }],
  ['mixtral', { context: 256 }],
  ['qwen2', { parallel: 3 }],
  ['qwen2moe', { context: 256 }],
  ['qwen3', { parallel: 1 }],
  ['qwen3moe', { context: 256 }],
  ['gemma2', { context: 768, parallel: 1 }],
  ['gemma3', { parallel: 1, context: 1536 }],
  ['gemma3', { flashAttention: false }],
  ['gpt-oss', { parallel: 2, context: 512 }],
  ['gpt-oss', { parallel: 1, context: 1024, kvK: 'q8_0', kvV: 'q8_0' }],
  ['deepseek2', { context: 256 }],
  ['phi3', { parallel: 1 }],
  ['command-r', {}],
  ['mamba2', {}],
  ['granitehybrid', { parallel: 4, context: 256 }],
  ['falcon-h1', {}],
  ['qwen3next', { context: 256 }],
  ['qwen3-embedding', { embedding: true, context: 512, parallel: 4 }],
  ['qwen3-embedding', { embedding: true, context: 1024 }],
].map(([model, changes]) => ({ model, ...BASE, ...changes }));
