// The loads that are compared: a model of small-models.mjs and a load configuration. Each configuration changes a few
// settings of BASE. The processor fills every cache completely, so contexts are short.
const BASE = {
  context: 256,
  parallel: 1,
  kvK: 'f16',
  kvV: 'f16',
  flashAttention: null,
  embedding: false,
};

export const LOADS = [
  ['llama', {}],
  ['llama', { context: 768, flashAttention: false }],
  ['llama', { kvK: 'q8_0', kvV: 'q8_0' }],
  ['llama', { kvK: 'q8_0', kvV: 'q4_0', parallel: 2 }],
  ['llama', { kvK: 'f32', kvV: 'f32' }],
  ['llama-tied', {}],
  ['llama-wide', { context: 64, parallel: 4 }],
  ['mixtral', { context: 64, parallel: 2 }],
  ['mistral3', {}],
  ['qwen2', { context: 64, parallel: 3 }],
  ['qwen2moe', {}],
  ['qwen3', {}],
  ['qwen3moe', {}],
  ['gemma2', { flashAttention: false }],
  ['gemma3', { context: 640 }],
  ['gpt-oss', { context: 512, parallel: 2 }],
  ['gpt-oss', { kvK: 'q8_0', kvV: 'q8_0' }],
  ['deepseek2', {}],
  ['phi3', {}],
  ['command-r', {}],
  ['mamba2', {}],
  ['granitehybrid', { context: 64, parallel: 4 }],
  ['falcon-h1', {}],
  ['qwen3next', {}],
  ['qwen3-embedding', { embedding: true, parallel: 4 }],
  ['qwen3-embedding', { embedding: true, context: 512 }],
].map(([model, changes]) => ({ model, ...BASE, ...changes }));
