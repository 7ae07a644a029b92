import {
  keyLengthOf,
  keyWidthOf,
  valueLengthOf,
  valueWidthOf,
  type Hyperparameters,
} from '../../architecture/hyperparameters.js';
import type { ModelIndex } from '../../architecture/model-index.js';
import type { GgufTensor } from '../../gguf/gguf-header.js';
import { tensorTypeLayout } from '../../gguf/tensor-types.js';
import { cacheLayout } from '../../parts/context-buffers.js';
import type { EngineSettings } from '../../settings/estimate-settings.js';
import type { RuntimeShape } from '../../parts/runtime-shape.js';
import { ShortenedLayers, type Shortening } from './shortening.js';
import { Graph } from '../tensors/graph.js';
import {
  add,
  concat,
  getRows,
  input,
  leaf,
  likeFirst,
  matMul,
  multiply,
  rmsNorm,
} from '../tensors/ops.js';
import { F32, I32, type Tensor } from '../tensors/tensor.js';

/** The graph cannot be built, because the model lacks a tensor or a figure that it needs. */
export class GraphUnavailableError extends Error {
  override readonly name = 'GraphUnavailableError';
}

/** The device of each weight and of each layer, by index. */
export interface Homes {
  /** `il` is `null` for a weight outside of layers. */
  weight(tensor: GgufTensor, il: number | null): number;
  layer(il: number): number;
}

/** The matrix that joins a token and a hidden state. Only draft layers (MTP) have this matrix. */
const DRAFT_PROJECTION = 'nextn.eh_proj';

export type NormKind = 'rms' | 'layer';

/** A graph that is being built, with everything that its builders need. Source: llama-graph.cpp. */
export class GraphContext {
  readonly graph = new Graph();
  readonly index: ModelIndex;
  readonly model: Hyperparameters;
  readonly settings: EngineSettings;
  readonly shape: RuntimeShape;
  readonly homes: Homes;
  /** Index of the CPU among the devices. */
  readonly cpu: number;
  readonly tokens: number;
  /** Number of tokens with logits. */
  readonly outputs: number;
  /** Number of tokens of each sequence. */
  readonly sequenceTokens: number;
  /** The layers to build. */
  readonly layers: ShortenedLayers;
  #outputIds: Tensor | null = null;

  constructor(
    index: ModelIndex,
    model: Hyperparameters,
    settings: EngineSettings,
    shape: RuntimeShape,
    homes: Homes,
    cpu: number,
    shortenings: readonly Shortening[],
  ) {
    this.index = index;
    this.model = model;
    this.settings = settings;
    this.shape = shape;
    this.homes = homes;
    this.cpu = cpu;
    this.tokens = shape.graphTokens;
    this.outputs = shape.graphOutputs;
    this.sequenceTokens = shape.graphTokens / shape.sequences;
    this.layers = new ShortenedLayers(model.layers, shortenings);
  }

  /** A weight outside of layers; `null` if the model has no weight of this name. */
  sharedOrNull(name: string): Tensor | null {
    const tensor = this.index.shared.get(name)?.weight ?? null;
    return tensor === null ? null : this.#leaf(tensor, null);
  }

  sharedBias(name: string): Tensor | null {
    const tensor = this.index.shared.get(name)?.bias ?? null;
    return tensor === null ? null : this.#leaf(tensor, null);
  }

  shared(name: string): Tensor {
    return this.sharedOrNull(name) ?? this.#missing(name);
  }

  has(il: number, name: string): boolean {
    return this.index.layers[il]?.has(name) === true;
  }

  /** A weight of a layer; `null` if the layer has no weight of this name. */
  weightOrNull(il: number, name: string): Tensor | null {
    const tensor = this.index.layers[il]?.get(name)?.weight ?? null;
    return tensor === null ? null : this.#leaf(tensor, il);
  }

  weight(il: number, name: string): Tensor {
    return this.weightOrNull(il, name) ?? this.#missing(`blk.${il}.${name}`);
  }

  biasOrNull(il: number, name: string): Tensor | null {
    const tensor = this.index.layers[il]?.get(name)?.bias ?? null;
    return tensor === null ? null : this.#leaf(tensor, il);
  }

  bias(il: number, name: string): Tensor {
    return this.biasOrNull(il, name) ?? this.#missing(`blk.${il}.${name}.bias`);
  }

  /** The output matrix, or the embedding where the model has no output matrix. */
  outputWeight(): Tensor {
    const own = this.sharedOrNull('output');
    if (own !== null) return own;
    const tied = this.index.shared.get('token_embd')?.weight ?? null;
    if (tied === null) return this.#missing('output');
    return this.#leaf(tied, null, this.homes.layer(this.model.layersInFile));
  }

  keyCache(il: number): Tensor {
    return this.#cache(il, 'kvCacheTypeK');
  }

  valueCache(il: number): Tensor {
    return this.#cache(il, 'kvCacheTypeV');
  }

  /** The recurrent states of all sequences in a layer. */
  stateCache(il: number, size: number): Tensor {
    return leaf(F32, this.#cacheHome(il), size, this.shape.sequences);
  }

  /** Cells in one stream of a layer's cache. */
  cells(il: number): number {
    return this.model.window?.layers[il] === true ? this.shape.windowCells : this.shape.cells;
  }

  heads(il: number): number {
    return this.model.heads[il] ?? 0;
  }

  kvHeads(il: number): number {
    return this.model.kvHeads[il] ?? 0;
  }

  /**
   * The embeddings of the tokens. llama.cpp also adds an input for embeddings, which stays unused except in draft
   * layers.
   */
  inputEmbedding(streams = 1): Tensor {
    const { embedding } = this.model;
    const rows = getRows(this.shared('token_embd'), input(I32, this.tokens));
    const direct = input(F32, embedding * streams, this.tokens);
    this.graph.expand(rows);
    this.graph.expand(direct);
    return this.has(0, DRAFT_PROJECTION) ? this.#joined(rows, direct) : rows;
  }

  /** The input of a draft layer: the token, and the hidden state of the model's last layer. */
  #joined(rows: Tensor, hidden: Tensor): Tensor {
    const token = this.norm(rows, this.weightOrNull(0, 'nextn.enorm'));
    const state = this.norm(hidden, this.weightOrNull(0, 'nextn.hnorm'));
    return matMul(this.weight(0, DRAFT_PROJECTION), concat(token, state, 0));
  }

  positions(perToken = 1): Tensor {
    return input(I32, this.tokens * perToken);
  }

  /**
   * The frequency factors of rotations, which lie on the layer's device; `null` if the model has no factors.
   */
  ropeFactors(il: number): Tensor | null {
    const { shared } = this.index;
    const group = shared.get('rope_freqs') ?? shared.get('rope_factors_long');
    const tensor = group?.weight ?? null;
    return tensor === null ? null : this.#leaf(tensor, null, this.homes.layer(il));
  }

  outputIds(): Tensor {
    this.#outputIds ??= input(I32, this.outputs);
    return this.#outputIds;
  }

  /** The rows of the tokens that have logits. */
  outputRows(x: Tensor): Tensor {
    return getRows(x, this.outputIds());
  }

  norm(
    x: Tensor,
    weight: Tensor | null,
    kind: NormKind = 'rms',
    bias: Tensor | null = null,
  ): Tensor {
    // ggml may overwrite the input of an RMS norm, but not the input of a layer norm.
    let result = kind === 'rms' ? rmsNorm(x) : likeFirst(x);
    if (weight !== null) result = multiply(result, weight);
    if (bias !== null) result = add(result, bias);
    return result;
  }

  /** A linear layer with its optional bias. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
    const product = matMul(weight, x);
    return bias === null ? product : add(product, bias);
  }

  #leaf(tensor: GgufTensor, il: number | null, home = this.homes.weight(tensor, il)): Tensor {
    const layout = tensorTypeLayout(tensor.type) ?? F32;
    const [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] = tensor.shape;
    const weight = leaf(layout, home, ne0, ne1, ne2, ne3);
    weight.isWeight = true;
    return weight;
  }

  #cache(il: number, which: 'kvCacheTypeK' | 'kvCacheTypeV'): Tensor {
    // The last layers of Gemma 3n read the cache of an earlier layer, which has the same size.
    const width =
      which === 'kvCacheTypeK' ? keyWidthOf(this.model, il) : valueWidthOf(this.model, il);
    return leaf(
      cacheLayout(this.settings[which]),
      this.#cacheHome(il),
      width,
      this.cells(il),
      this.shape.streams,
    );
  }

  /** The device of a layer's caches and states. */
  #cacheHome(il: number): number {
    return this.settings.offloadsKvCache ? this.homes.layer(il) : this.cpu;
  }

  keyLength(il: number): number {
    return keyLengthOf(this.model, il);
  }

  valueLength(il: number): number {
    return valueLengthOf(this.model, il);
  }

  #missing(name: string): never {
    throw new GraphUnavailableError(`the model has no tensor ${name}`);
  }
}
