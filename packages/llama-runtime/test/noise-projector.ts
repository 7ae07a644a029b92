import type { TensorShape } from '../src/noise-model/gguf-file.js';
import { linear, norm, tensor, writeNoiseFile } from './noise-file.js';

/** A projector of random weights, which turns images into vectors of a model's width. */
export interface NoiseProjector {
  /**
   * `mlp` as in LLaVA: one token for each patch. `gemma3`: one for each 16 patches, and the tokens of an image attend to
   * each other in both directions.
   */
  readonly type: 'mlp' | 'gemma3';
  /** Width of the model that the projector belongs to. */
  readonly modelWidth: number;
  /** Pixels of a side of the image; a multiple of 56. */
  readonly imageSize: number;
}

const PATCH_SIZE = 14;
const WIDTH = 64;
const INNER_WIDTH = 128;
const LAYERS = 2;
const HEADS = 4;

/** Writes a projector that llama.cpp loads. Names and sizes of the tensors are those that tools/mtmd/clip.cpp reads. */
export function writeNoiseProjector(file: string, shape: NoiseProjector): Promise<void> {
  return writeNoiseFile(file, metadataOf(shape), tensorsOf(shape));
}

function metadataOf({ type, modelWidth, imageSize }: NoiseProjector) {
  return {
    'general.architecture': 'clip',
    'general.file_type': 1,
    'clip.has_vision_encoder': true,
    'clip.projector_type': type,
    'clip.use_gelu': true,
    'clip.vision.image_size': imageSize,
    'clip.vision.patch_size': PATCH_SIZE,
    'clip.vision.embedding_length': WIDTH,
    'clip.vision.feed_forward_length': INNER_WIDTH,
    'clip.vision.projection_dim': modelWidth,
    'clip.vision.block_count': LAYERS,
    'clip.vision.attention.head_count': HEADS,
    'clip.vision.attention.layer_norm_epsilon': { float32: 1e-5 },
    'clip.vision.image_mean': { float32: [0.5, 0.5, 0.5] },
    'clip.vision.image_std': { float32: [0.5, 0.5, 0.5] },
  };
}

function tensorsOf({ type, modelWidth, imageSize }: NoiseProjector): readonly TensorShape[] {
  const patches = (imageSize / PATCH_SIZE) ** 2;
  return [
    {
      name: 'v.patch_embd.weight',
      dimensions: [PATCH_SIZE, PATCH_SIZE, 3, WIDTH],
      type: 'F16',
    },
    ...(type === 'mlp'
      ? [
          tensor('v.class_embd', WIDTH),
          tensor('v.position_embd.weight', WIDTH, patches + 1),
          ...norm('v.pre_ln', WIDTH),
          ...linear('mm.0', WIDTH, modelWidth),
          ...linear('mm.2', modelWidth, modelWidth),
        ]
      : [
          tensor('v.patch_embd.bias', WIDTH),
          tensor('v.position_embd.weight', WIDTH, patches),
          ...norm('v.post_ln', WIDTH),
          tensor('mm.input_projection.weight', modelWidth, WIDTH),
          tensor('mm.soft_emb_norm.weight', WIDTH),
        ]),
    ...Array.from({ length: LAYERS }, (_, layer) => `v.blk.${layer}`).flatMap((block) => [
      ...['attn_q', 'attn_k', 'attn_v', 'attn_out'].flatMap((name) =>
        linear(`${block}.${name}`, WIDTH, WIDTH),
      ),
      ...norm(`${block}.ln1`, WIDTH),
      ...norm(`${block}.ln2`, WIDTH),
      // clip.cpp swaps the two where the first one's bias has the inner width, as in files of older converters.
      ...linear(`${block}.ffn_up`, WIDTH, INNER_WIDTH),
      ...linear(`${block}.ffn_down`, INNER_WIDTH, WIDTH),
    ]),
  ];
}
