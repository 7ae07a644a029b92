import { ESTIMATE_CHOICES as CHOICES } from '@mai/host';
import type { CommandSpec } from './command-spec.js';

/** `mai estimate`. Its options and its `--json` answer are a fixed contract. */
export const ESTIMATE: CommandSpec = {
  name: 'estimate',
  summary: 'the memory that a model takes, by part and by context length',
  arguments: [
    {
      name: 'KEY-OR-FILE',
      required: false,
      summary: 'model key, or a file that is or begins with a GGUF header',
      completes: 'file',
    },
  ],
  options: [
    {
      name: 'context',
      value: 'TOKENS',
      summary: "context length of each sequence (default: as configured; for a file, the engine's)",
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
      summary: "GPU back end (default: the engine's, for a file)",
    },
    {
      name: 'engine',
      value: 'NAME',
      summary:
        "llama.cpp, or lmstudio@ and a runtime's version: whose defaults apply (default: the runtime that would load the model here)",
    },
    {
      name: 'cpu',
      value: 'NAME',
      choices: CHOICES.cpu,
      summary: 'instruction set, which decides whether weights are repacked (default: auto)',
    },
    {
      name: 'measure',
      summary: 'load the model in LM Studio, measure its memory, unload it, and keep the result',
    },
    { name: 'stdin', summary: 'read a JSON object on each line, and answer each with a line' },
  ],
  examples: [
    ['mai estimate qwen/qwen3-4b --context 32768', 'a downloaded model'],
    ['mai estimate --measure qwen/qwen3-4b', 'the memory that it takes on this machine, measured'],
    ['mai estimate model.gguf --kv-k q8_0 --kv-v q8_0', 'a file, with a smaller KV cache'],
    ['mai estimate model.gguf --engine lmstudio@2.28.2', 'a file, in another version of LM Studio'],
  ],
  load: async () => (await import('../commands/estimate.js')).run,
};
