import type { GgufHeader } from '../gguf/gguf-header.js';
import { imageAttentionOf } from './image-attention.js';

test('the images of Gemma 3 and 4 attend in both directions, others do not', () => {
  const attention = (type: string) =>
    imageAttentionOf({
      metadata: new Map([['clip.projector_type', type]]),
    } as Partial<GgufHeader> as GgufHeader);
  expect(['gemma3', 'gemma4v', 'gemma4uv', 'mlp', 'qwen3vl_merger'].map(attention)).toEqual([
    'non-causal',
    'non-causal',
    'non-causal',
    'causal',
    'causal',
  ]);
});
