import type { GgufHeader } from '../../gguf/gguf-header.js';
import { TENSOR_TYPES } from '../../gguf/tensor-types.js';
import { Graph } from '../tensors/graph.js';
import {
  add,
  castToHalf,
  compute,
  contiguous,
  contiguous2d,
  gatedSplit,
  getRows,
  input,
  leaf,
  likeFirst,
  matMul,
  multiply,
  reshape,
  rmsNorm,
  softMax,
  strided,
  swapHeads,
  transpose,
  unary,
} from '../tensors/ops.js';
import { F16, F32, I32, type Tensor } from '../tensors/tensor.js';

const CHANNELS = 3;
/** Patches of a side that Gemma 3 averages to one token. Source: `n_merge` of PROJECTOR_TYPE_GEMMA3 in tools/mtmd/clip.cpp. */
const GEMMA3_MERGE = 4;

/** The figures of an encoder, from the header of its projector. */
export interface EncoderShape {
  readonly type: 'gemma3' | 'mlp';
  readonly hidden: number;
  readonly heads: number;
  readonly layers: number;
  readonly patch: number;
  /** Pixels of a side of the picture. */
  readonly side: number;
  readonly flashAttention: boolean;
}

/**
 * The graph that the encoder of a picture is reserved for. Source: clip_graph in tools/mtmd/clip.cpp, siglip.cpp and llava.cpp in
 * tools/mtmd/models. `null` where the projector lacks a tensor of this graph.
 */
export function imageEncoderGraph(projector: GgufHeader, shape: EncoderShape): Graph | null {
  const encoder = new ImageEncoder(projector, shape);
  const result = shape.type === 'mlp' ? encoder.llava() : encoder.gemma3();
  if (encoder.lacksWeights) return null;
  encoder.graph.expand(result);
  return encoder.graph;
}

class ImageEncoder {
  readonly graph = new Graph();
  lacksWeights = false;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #shape: EncoderShape;
  readonly #patchesOfSide: number;
  readonly #patches: number;

  constructor({ tensors }: GgufHeader, shape: EncoderShape) {
    this.#weights = new Map(
      tensors.map(({ name, typeName, shape: [ne0 = 1, ne1, ne2, ne3] }) => {
        const type = Object.hasOwn(TENSOR_TYPES, typeName)
          ? TENSOR_TYPES[typeName as keyof typeof TENSOR_TYPES]
          : F32;
        return [name, leaf(type, 0, ne0, ne1, ne2, ne3)];
      }),
    );
    this.#shape = shape;
    this.#patchesOfSide = Math.floor(shape.side / shape.patch);
    this.#patches = this.#patchesOfSide ** 2;
  }

  gemma3(): Tensor {
    const { hidden, layers } = this.#shape;
    let x = add(this.#patchVectors(), this.#weight('v.position_embd.weight'));
    x = this.#blocks(x, this.#patches, layers);
    x = this.#norm(x, 'v.post_ln');
    const side = this.#patchesOfSide;
    const merged = Math.floor(side / GEMMA3_MERGE);
    x = compute(F32, [transpose(x)], side, side, hidden);
    x = compute(F32, [x], merged, merged, hidden);
    x = contiguous(transpose(reshape(x, merged * merged, hidden)));
    x = multiply(rmsNorm(x), this.#weight('mm.soft_emb_norm.weight'));
    return matMul(contiguous(transpose(this.#weight('mm.input_projection.weight'))), x);
  }

  llava(): Tensor {
    const { hidden, layers } = this.#shape;
    const classVector = this.#weights.get('v.class_embd');
    const tokens = this.#patches + (classVector === undefined ? 0 : 1);
    let x = this.#patchVectors();
    if (classVector !== undefined) x = compute(F32, [x, classVector], hidden, tokens);
    x = add(x, getRows(this.#weight('v.position_embd.weight'), input(I32, tokens)));
    if (this.#weights.has('v.pre_ln.weight')) x = this.#norm(x, 'v.pre_ln');
    // The projector reads the output of the last layer but one.
    x = this.#blocks(x, tokens, Math.max(0, layers - 1));
    if (this.#weights.has('v.post_ln.weight')) x = this.#norm(x, 'v.post_ln');
    x = getRows(reshape(x, hidden, tokens), input(I32, this.#patches));
    x = unary(this.#linear(x, 'mm.0'));
    return this.#weights.has('mm.2.weight') ? this.#linear(x, 'mm.2') : x;
  }

  /** The convolution that turns each patch into a vector: ggml copies the pixels of each patch to a row, and multiplies. */
  #patchVectors(): Tensor {
    const { hidden, patch, side } = this.#shape;
    const kernel = this.#weight('v.patch_embd.weight');
    const pixels = patch * patch * CHANNELS;
    const picture = input(F32, side, side, CHANNELS);
    const rowType = kernel.type === F32 ? F32 : F16;
    const across = this.#patchesOfSide;
    const rows = compute(rowType, [kernel, picture], pixels, across, across);
    const product = matMul(reshape(rows, pixels, this.#patches), reshape(kernel, pixels, hidden));
    const pictureOfVectors = reshape(product, across, across, 1, hidden);
    const { nb0, nb1, nb2, nb3 } = pictureOfVectors;
    const x = contiguous(
      strided(pictureOfVectors, [across, across, hidden, 1], [nb0, nb1, nb3, nb2]),
    );
    const vectors = contiguous(transpose(reshape(x, this.#patches, hidden)));
    const bias = this.#weights.get('v.patch_embd.bias');
    return bias === undefined ? vectors : add(vectors, bias);
  }

  #blocks(x: Tensor, tokens: number, count: number): Tensor {
    for (let il = 0; il < count; il += 1) {
      const name = `v.blk.${il}`;
      const attended = add(this.#attention(this.#norm(x, `${name}.ln1`), name, tokens), x);
      x = add(attended, this.#feedForward(this.#norm(attended, `${name}.ln2`), name));
    }
    return x;
  }

  #attention(x: Tensor, name: string, tokens: number): Tensor {
    const { hidden, heads, flashAttention } = this.#shape;
    const split = (part: string) =>
      reshape(this.#linear(x, `${name}.${part}`), hidden / heads, heads, tokens);
    const [q, k, v] = [split('attn_q'), split('attn_k'), split('attn_v')];
    for (const part of [q, k, v]) this.graph.expand(part);
    const [query, key] = [swapHeads(q), swapHeads(k)];
    if (flashAttention) {
      const sources = [query, castToHalf(key), castToHalf(swapHeads(v))];
      const result = compute(F32, sources, hidden / heads, heads, tokens);
      return this.#linear(reshape(result, hidden, tokens), `${name}.attn_out`);
    }
    const value = contiguous(transpose(swapHeads(v)));
    const result = swapHeads(matMul(value, softMax(matMul(key, query))));
    return this.#linear(contiguous2d(result, hidden, tokens), `${name}.attn_out`);
  }

  #feedForward(x: Tensor, name: string): Tensor {
    // Files of older converters have the two matrices in each other's place.
    const isSwapped = this.#weight(`${name}.ffn_up.weight`).ne0 !== this.#shape.hidden;
    const [upName, downName] = isSwapped ? ['ffn_down', 'ffn_up'] : ['ffn_up', 'ffn_down'];
    const up = this.#linear(x, `${name}.${upName}`);
    const inner = this.#weights.has(`${name}.ffn_gate.weight`)
      ? gatedSplit(this.#linear(x, `${name}.ffn_gate`), up)
      : unary(up);
    return this.#linear(inner, `${name}.${downName}`);
  }

  #norm(x: Tensor, name: string): Tensor {
    const scaled = multiply(likeFirst(x), this.#weight(`${name}.weight`));
    const bias = this.#weights.get(`${name}.bias`);
    return bias === undefined ? scaled : add(scaled, bias);
  }

  #linear(x: Tensor, name: string): Tensor {
    const product = matMul(this.#weight(`${name}.weight`), x);
    const bias = this.#weights.get(`${name}.bias`);
    return bias === undefined ? product : add(product, bias);
  }

  #weight(name: string): Tensor {
    const weight = this.#weights.get(name);
    if (weight !== undefined) return weight;
    this.lacksWeights = true;
    return leaf(F32, 0, 1);
  }
}
