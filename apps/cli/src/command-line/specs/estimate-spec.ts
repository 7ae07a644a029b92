import { ESTIMATE_CHOICES as CHOICES } from '@mai/host';
import type { CommandSpec } from '../../arguments/command-spec.js';

/** `mai estimate`. Its options and its `--json` answer are a fixed contract. */
export const ESTIMATE: CommandSpec = {
  name: 'estimate',
  summary: 'estimate the memory of a model, by part and by context length',
  arguments: [
    {
      name: 'KEY-OR-FILE',
      required: false,
      summary: 'model key, or a GGUF file (the header is enough)',
      completes: 'file',
    },
  ],
  options: [
    {
      name: 'context',
      value: 'TOKENS',
      summary:
        'context length of each sequence (default: as configured; for a file, the default of the engine)',
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
      summary: 'one KV cache for all sequences; --context is then the total of all sequences',
    },
    { name: 'swa-full', summary: 'full-size cache for sliding-window layers' },
    { name: 'gpu-layers', value: 'N', summary: 'layers on the GPU' },
    {
      name: 'gpu-backend',
      value: 'NAME',
      choices: CHOICES['gpu-backend'],
      summary: 'GPU back end (for a file, the default of the engine)',
    },
    {
      name: 'engine',
      value: 'NAME',
      summary:
        'engine whose defaults apply: llama.cpp, lmstudio or lmstudio@VERSION (default: the runtime that would load the model here)',
    },
    {
      name: 'cpu',
      value: 'NAME',
      choices: CHOICES.cpu,
      summary:
        'instruction set of the CPU, which decides whether weights are repacked (default: auto)',
    },
    {
      name: 'measure',
      summary: 'load the model, measure its memory, unload it, and store the result',
    },
    {
      name: 'stdin',
      summary: 'read a JSON object from each line of standard input, and answer each with one line',
    },
  ],
  examples: [
    ['mai estimate qwen/qwen3-4b --context 32768', 'a downloaded model'],
    ['mai estimate --measure qwen/qwen3-4b', 'measure the memory of the model on this machine'],
    ['mai estimate model.gguf --kv-k q8_0 --kv-v q8_0', 'a file, with a smaller KV cache'],
    [
      'mai estimate model.gguf --engine lmstudio@2.28.2',
      'a file, with the defaults of this LM Studio runtime',
    ],
  ],
  load: async () => (await import('../../commands/models/estimate.js')).run,
};
