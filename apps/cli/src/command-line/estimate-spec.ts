import type { CommandSpec } from './command-spec.js';

const KV_CACHE_TYPES = [
  'f32',
  'f16',
  'bf16',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
  'iq4_nl',
] as const;

/** What the options of `mai estimate` take, and the fields of its lines. */
export const CHOICES = {
  'kv-k': KV_CACHE_TYPES,
  'kv-v': KV_CACHE_TYPES,
  'gpu-backend': ['none', 'cuda', 'metal', 'vulkan'],
  cpu: ['avx2', 'generic', 'auto'],
} as const;

/** `mai estimate`: its options and its `--json` answer are a fixed contract. */
export const ESTIMATE: CommandSpec = {
  name: 'estimate',
  summary: 'the memory that a model takes, part by part, and by context length',
  arguments: [
    {
      name: 'KEY-OR-FILE',
      required: false,
      summary: 'model key, or a GGUF file or its header',
      completes: 'file',
    },
  ],
  options: [
    {
      name: 'context',
      value: 'TOKENS',
      summary: 'context length of each sequence (default: that of LM Studio)',
    },
    { name: 'kv-k', value: 'TYPE', choices: CHOICES['kv-k'], summary: 'KV cache type of the keys' },
    {
      name: 'kv-v',
      value: 'TYPE',
      choices: CHOICES['kv-v'],
      summary: 'KV cache type of the values',
    },
    {
      name: 'flash-attention',
      value: 'on|off',
      choices: ['on', 'off'],
      summary: 'flash attention',
    },
    { name: 'batch', value: 'TOKENS', summary: 'logical batch size' },
    { name: 'ubatch', value: 'TOKENS', summary: 'micro-batch size' },
    { name: 'parallel', value: 'N', summary: 'parallel sequences' },
    {
      name: 'kv-unified',
      value: 'on|off',
      choices: ['on', 'off'],
      summary: 'one KV cache for all sequences; --context is then their total',
    },
    { name: 'swa-full', summary: 'full-size cache for sliding-window layers' },
    { name: 'gpu-layers', value: 'N', summary: 'layers on the GPU' },
    {
      name: 'gpu-backend',
      value: 'NAME',
      choices: CHOICES['gpu-backend'],
      summary: 'GPU back end (default: none)',
    },
    {
      name: 'cpu',
      value: 'NAME',
      choices: CHOICES.cpu,
      summary: 'instruction set, which decides on repacked weights (default: auto)',
    },
    {
      name: 'measure',
      summary: 'load the model in LM Studio, measure what it takes, unload it, and remember',
    },
    { name: 'stdin', summary: 'read one JSON object a line, answer one a line' },
  ],
  examples: [
    ['mai estimate qwen/qwen3-4b --context 32768', 'a downloaded model'],
    ['mai estimate --measure qwen/qwen3-4b', 'what it really takes on this machine'],
    ['mai estimate model.gguf --kv-k q8_0 --kv-v q8_0', 'a file, with a smaller KV cache'],
  ],
  load: async () => (await import('../commands/estimate.js')).run,
};
