import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { GgufTensor } from '../gguf/gguf-header.js';
import { tensorTypeLayout } from '../gguf/tensor-types.js';
import { cacheLayout } from '../parts/kv-cache.js';
import type { ResolvedSettings } from '../settings/estimate-settings.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';
import { Graph } from './graph.js';
import { add, getRows, input, leaf, likeFirst, matMul, multiply, rmsNorm } from './ops.js';
import { F32, I32, type Tensor } from './tensor.js';

/** The model lacks a tensor that its architecture's graph stands on: the graph cannot be built. */
export class GraphUnavailableError extends Error {
  override readonly name = 'GraphUnavailableError';
}

/** Which device a weight or a layer's cache is on, by index. */
export interface Homes {
  weight(tensor: GgufTensor, il: number | null): number;
  layer(il: number): number;
}

/** Layers of a repeating stretch that are left out because they would do as the ones before. */
export interface Shortening {
  readonly skipFrom: number;
  readonly skipTo: number;
  readonly period: number;
  /** Rounds are left out in multiples of this. */
  readonly step: number;
}

export type NormKind = 'rms' | 'layer';

/** What building a graph needs to know: llm_graph_context in llama-graph.cpp. */
export class GraphContext {
  readonly graph = new Graph();
  readonly index: ModelIndex;
  readonly model: Hyperparameters;
  readonly settings: ResolvedSettings;
  readonly shape: RuntimeShape;
  readonly homes: Homes;
  readonly tokens: number;
  readonly outputs: number;
  /** Tokens of each sequence in the graph. */
  readonly sequenceTokens: number;
  /** The layers to build, in order. */
  readonly layers: readonly number[];
  /**
   * The hidden states between which a repeating stretch is checked to have settled, stretch by stretch; see
   * shorten().
   */
  readonly marks: readonly Tensor[][];
  readonly #shortenings: readonly Shortening[];
  #outputIds: Tensor | null = null;

  constructor(
    index: ModelIndex,
    model: Hyperparameters,
    settings: ResolvedSettings,
    shape: RuntimeShape,
    homes: Homes,
    shortenings: readonly Shortening[] = [],
  ) {
    this.index = index;
    this.model = model;
    this.settings = settings;
    this.shape = shape;
    this.homes = homes;
    this.tokens = shape.graphTokens;
    this.outputs = shape.graphOutputs;
    this.sequenceTokens = shape.graphTokens / shape.sequences;
    this.#shortenings = shortenings;
    this.marks = shortenings.map(() => []);
    this.layers = Array.from({ length: model.layers }, (_, il) => il).filter(
      (il) => !shortenings.some(({ skipFrom, skipTo }) => il >= skipFrom && il < skipTo),
    );
  }

  /** Notes the hidden state that a layer leaves. */
  layerDone(il: number, hidden: Tensor): void {
    for (const [i, { skipFrom, period, step }] of this.#shortenings.entries()) {
      const before = skipFrom - 1 - il;
      if (before === 0 || before === period || before === step * period)
        this.marks[i]?.push(hidden);
    }
  }

  /** A weight outside of layers, or null. */
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

  /** A weight of a layer, or null. */
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

  /** The output matrix; models without one use the embedding. */
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

  /** The states of all sequences in a layer. */
  stateCache(il: number, size: number): Tensor {
    return leaf(F32, this.homes.layer(il), size, this.shape.sequences);
  }

  /** Cells of a layer's cache in one stream. */
  cells(il: number): number {
    return this.model.window?.layers[il] === true ? this.shape.windowCells : this.shape.cells;
  }

  heads(il: number): number {
    return this.model.heads[il] ?? 0;
  }

  kvHeads(il: number): number {
    return this.model.kvHeads[il] ?? 0;
  }

  /** The embeddings of the tokens; the unused input for embeddings is in the graph all the same. */
  inputEmbedding(streams = 1): Tensor {
    const { embedding } = this.model;
    const rows = getRows(this.shared('token_embd'), input(I32, this.tokens));
    const direct = input(F32, embedding * streams, this.tokens);
    this.graph.expand(rows);
    this.graph.expand(direct);
    return rows;
  }

  positions(perToken = 1): Tensor {
    return input(I32, this.tokens * perToken);
  }

  /** What a model scales its rotations by; every layer has it on its own device. Null: nothing. */
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

  /** Only the rows whose logits are wanted. */
  outputRows(x: Tensor): Tensor {
    return getRows(x, this.outputIds());
  }

  norm(
    x: Tensor,
    weight: Tensor | null,
    kind: NormKind = 'rms',
    bias: Tensor | null = null,
  ): Tensor {
    // ggml writes an RMS norm over its input, but not a layer norm.
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
    // Gemma 3n's last layers read the cache of an earlier one; its size is all that matters here.
    const width =
      which === 'kvCacheTypeK'
        ? this.keyLength(il) * this.kvHeads(il)
        : this.valueLength(il) * this.kvHeads(il);
    return leaf(
      cacheLayout(this.settings[which]),
      this.homes.layer(il),
      width,
      this.cells(il),
      this.shape.streams,
    );
  }

  keyLength(il: number): number {
    const { model } = this;
    return model.window?.layers[il] === true ? model.keyLengthWindowed : model.keyLength;
  }

  valueLength(il: number): number {
    const { model } = this;
    return model.window?.layers[il] === true ? model.valueLengthWindowed : model.valueLength;
  }

  #missing(name: string): never {
    throw new GraphUnavailableError(`the model has no tensor ${name}`);
  }
}
