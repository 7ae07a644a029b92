import { isGgufArray, type GgufHeader } from '../gguf/gguf-header.js';
import { wrongLength } from './metadata-types.js';
import type { ModelRefusal } from './model-refusal.js';

/** The number of a model's layers, as a length. */
const LAYERS = 'layers';

/**
 * Lists whose length llama.cpp checks, the length, and the architectures that read the list. Each list was tried with a value
 * too few, for every architecture of build 10257 (llama.node 1.7.15). Ollama writes its Qwen3.5 with three sections of RoPE
 * (ollama/ollama #17903, ggml-org/llama.cpp #25334).
 */
const CHECKED: readonly (readonly [
  keys: string,
  length: number | typeof LAYERS,
  architectures: string,
])[] = [
  [
    '*.rope.dimension_sections',
    4,
    [
      'qwen2vl qwen3vl qwen3vlmoe qwen35 qwen35moe glm4 glm4moe ernie4_5 ernie4_5-moe hunyuan-dense hunyuan_vl',
      'paddleocr',
    ].join(' '),
  ],
  ['*.attention.sliding_window_pattern', LAYERS, 'gemma4 cohere2moe mimo2 step35'],
  ['*.attention.recurrent_layers', LAYERS, 'qwen3next qwen35 qwen35moe'],
  ['*.swiglu_clamp_exp *.swiglu_clamp_shexp', LAYERS, 'deepseek4 step35'],
  ['xielu.alpha_n xielu.alpha_p xielu.beta xielu.eps', LAYERS, 'apertus'],
];

/** A list with more or fewer values than llama.cpp reads; `null` without such a list. */
export function findWrongLength({ metadata, architecture }: GgufHeader): ModelRefusal | null {
  const name = architecture ?? '';
  const layers = metadata.get(`${name}.block_count`);
  for (const [keys, length, architectures] of CHECKED) {
    if (!architectures.split(' ').includes(name)) continue;
    const wanted = length === LAYERS ? layers : length;
    if (typeof wanted !== 'number') continue;
    for (const pattern of keys.split(' ')) {
      const key = pattern.replace(/^\*/, name);
      const value = metadata.get(key);
      if (isGgufArray(value) && value.length !== wanted)
        return wrongLength(key, value.length, wanted, length === LAYERS);
    }
  }
  return null;
}
