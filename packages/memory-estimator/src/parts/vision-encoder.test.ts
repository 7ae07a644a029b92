import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import { imageAttentionOf, visionEncoderBytes } from './vision-encoder.js';

const MIB = 2 ** 20;

interface Encoder {
  readonly type: string;
  readonly hidden: number;
  readonly feedForward: number;
  readonly patch: number;
  readonly image: number;
  readonly heads: number;
  /** Width of the model. */
  readonly width: number;
}

function headerOf({ type, hidden, feedForward, patch, image, heads, width }: Encoder): GgufHeader {
  const tensor = { name: 'mm.0.weight', shape: [hidden, width] } as Partial<GgufTensor>;
  return {
    metadata: new Map<string, string | number>([
      ['clip.projector_type', type],
      ['clip.vision.embedding_length', hidden],
      ['clip.vision.feed_forward_length', feedForward],
      ['clip.vision.attention.head_count', heads],
      ['clip.vision.patch_size', patch],
      ['clip.vision.image_size', image],
    ]),
    tensors: type === 'mlp' ? [tensor] : [],
  } as Partial<GgufHeader> as GgufHeader;
}

// Measured with files of these shapes on the embedded engine (llama.cpp b10257, CPU): reserve_compute_meta in its log.
const LLAVA = { type: 'mlp', hidden: 1024, feedForward: 4096, patch: 14, image: 336, heads: 16 };
const GEMMA_3 = {
  type: 'gemma3',
  hidden: 1152,
  feedForward: 4304,
  patch: 14,
  image: 896,
  heads: 16,
  width: 2560,
};

test.each([
  [4096, 21.55],
  [5120, 26.05],
])('the encoder of LLaVA 1.5 for a model of width %i takes %d MiB', (width, mib) => {
  const bytes = visionEncoderBytes(headerOf({ ...LLAVA, width }), true);
  expect((bytes ?? 0) / MIB).toBeCloseTo(mib, 2);
});

test('the encoder of Gemma 3 is not underestimated, and by a third at most overestimated', () => {
  const ratio = (visionEncoderBytes(headerOf(GEMMA_3), true) ?? 0) / (121.25 * MIB);
  expect(ratio).toBeGreaterThanOrEqual(1);
  expect(ratio).toBeLessThan(1.34);
});

test('the images of Gemma 3 and 4 attend in both directions, others do not', () => {
  const attention = (type: string) => imageAttentionOf(headerOf({ ...GEMMA_3, type }));
  expect(['gemma3', 'gemma4v', 'gemma4uv', 'mlp', 'qwen3vl_merger'].map(attention)).toEqual([
    'non-causal',
    'non-causal',
    'non-causal',
    'causal',
    'causal',
  ]);
});
