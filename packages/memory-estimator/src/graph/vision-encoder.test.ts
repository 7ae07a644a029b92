import type { GgufHeader } from '../gguf/gguf-header.js';
import { visionEncoderBytes } from './vision-encoder.js';

const MIB = 2 ** 20;
const PATCH = 14;
const HEADS = 16;

interface Encoder {
  readonly type: 'gemma3' | 'mlp';
  readonly hidden: number;
  /** Width of the feed-forward network. */
  readonly inner: number;
  readonly layers: number;
  /** Pixels of a side of the picture. */
  readonly side: number;
  /** Width of the model. */
  readonly width: number;
}

/** The tensors of `writeNoiseProjector` in the tests of llama-runtime. */
function headerOf({ type, hidden, inner, layers, side, width }: Encoder): GgufHeader {
  const tensor = (name: string, ...shape: number[]) => ({ name, shape, typeName: 'F32' });
  const linear = (name: string, from: number, to: number) => [
    { name: `${name}.weight`, shape: [from, to], typeName: 'F16' },
    tensor(`${name}.bias`, to),
  ];
  const norm = (name: string) => [tensor(`${name}.weight`, hidden), tensor(`${name}.bias`, hidden)];
  const patches = (side / PATCH) ** 2;
  const tensors = [
    { name: 'v.patch_embd.weight', shape: [PATCH, PATCH, 3, hidden], typeName: 'F16' },
    ...(type === 'mlp'
      ? [
          tensor('v.class_embd', hidden),
          tensor('v.position_embd.weight', hidden, patches + 1),
          ...norm('v.pre_ln'),
          ...linear('mm.0', hidden, width),
          ...linear('mm.2', width, width),
        ]
      : [
          tensor('v.patch_embd.bias', hidden),
          tensor('v.position_embd.weight', hidden, patches),
          ...norm('v.post_ln'),
          tensor('mm.input_projection.weight', width, hidden),
          tensor('mm.soft_emb_norm.weight', hidden),
        ]),
    ...Array.from({ length: layers }, (_, il) => `v.blk.${il}`).flatMap((block) => [
      ...['attn_q', 'attn_k', 'attn_v', 'attn_out'].flatMap((name) =>
        linear(`${block}.${name}`, hidden, hidden),
      ),
      ...norm(`${block}.ln1`),
      ...norm(`${block}.ln2`),
      ...linear(`${block}.ffn_up`, hidden, inner),
      ...linear(`${block}.ffn_down`, inner, hidden),
    ]),
  ];
  const metadata = new Map<string, string | number>([
    ['clip.projector_type', type],
    ['clip.vision.embedding_length', hidden],
    ['clip.vision.feed_forward_length', inner],
    ['clip.vision.block_count', layers],
    ['clip.vision.attention.head_count', HEADS],
    ['clip.vision.patch_size', PATCH],
    ['clip.vision.image_size', side],
  ]);
  return { metadata, tensors } as unknown as GgufHeader;
}

// The buffer in the log of the embedded engine (llama.cpp b10257, CPU) for files of these shapes.
test.each([
  ['gemma3', 64, 128, 2, 896, 256, 13.78],
  ['gemma3', 128, 512, 2, 896, 256, 14],
  ['gemma3', 1152, 4304, 1, 896, 256, 104.38],
  ['gemma3', 1152, 4304, 27, 896, 2560, 121.25],
  ['mlp', 64, 128, 2, 896, 256, 13.81],
  ['mlp', 128, 512, 2, 896, 256, 17.22],
  ['mlp', 1024, 4096, 23, 336, 4096, 21.55],
  ['mlp', 1024, 4096, 23, 336, 5120, 26.05],
] as const)(
  'the encoder of %s, %i and %i wide, of %i layers, for %i pixels and a model of width %i takes %d MiB',
  (type, hidden, inner, layers, side, width, mib) => {
    const bytes = visionEncoderBytes(headerOf({ type, hidden, inner, layers, side, width }), true);
    expect((bytes ?? 0) / MIB).toBeCloseTo(mib, 2);
  },
);

test('without flash attention, the scores of all heads are in the buffer', () => {
  const header = headerOf({
    type: 'gemma3',
    hidden: 64,
    inner: 128,
    layers: 2,
    side: 896,
    width: 256,
  });
  // Scores of 16 heads for 4,096 x 4,096 patches, in F32, which softmax overwrites.
  const scoresBytes = 16 * 4096 * 4096 * 4;
  const bytes = visionEncoderBytes(header, false) ?? 0;
  expect(bytes).toBeGreaterThan(scoresBytes);
  expect(bytes).toBeLessThan(scoresBytes + 14 * MIB);
});

test('a projector without the tensors of its graph is estimated from its figures', () => {
  const header = headerOf({
    type: 'gemma3',
    hidden: 64,
    inner: 128,
    layers: 2,
    side: 896,
    width: 256,
  });
  // The picture, and for 4,096 patches 4 positions, 64 values, and twice 128 values, in F32.
  expect(visionEncoderBytes({ ...header, tensors: [] }, true)).toBe(
    4 * (3 * 896 * 896 + 4096 * (4 + 64 + 2 * 128)),
  );
});
