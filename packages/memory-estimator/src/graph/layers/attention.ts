import {
  add,
  castToHalf,
  contiguous,
  contiguous2d,
  flashAttention,
  inPlace,
  matMul,
  reshape,
  softMax,
  swapHeads,
  transpose,
  view,
} from '../tensors/ops.js';
import type { Tensor } from '../tensors/tensor.js';
import { AttentionCache } from './attention-cache.js';
import { GraphUnavailableError, type GraphContext } from './graph-context.js';

/** Queries, keys and values of a layer, split into heads. */
export interface Qkv {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** Weights that attention uses after the projections. */
export interface AttentionParts {
  /** The output projection; `null` where the caller applies it. */
  readonly output: Tensor | null;
  readonly outputBias?: Tensor | null;
  readonly sinks?: Tensor | null;
  /** For latent attention, the matrix that turns the latent result into values. */
  readonly latentValues?: Tensor | null;
}

/** Attention over a KV cache. Source: build_attn and build_attn_mha in llama-graph.cpp. */
export class Attention {
  readonly #context: GraphContext;
  readonly #full: AttentionCache;
  readonly #windowed: AttentionCache | null;
  readonly #softCapped: boolean;

  constructor(context: GraphContext, options: { readonly softCapped?: boolean } = {}) {
    this.#context = context;
    this.#softCapped = options.softCapped === true;
    const { window } = context.model;
    this.#full = new AttentionCache(context, false);
    this.#windowed = window === null ? null : new AttentionCache(context, true);
  }

  /**
   * Projects to queries, keys and values, with three matrices or one fused matrix.
   *
   * @param options.queryWidth Width of a query head. Default: that of a key head.
   * @param options.flat Whether all heads of a token stay in one row.
   */
  project(
    il: number,
    x: Tensor,
    options: { readonly queryWidth?: number; readonly flat?: boolean } = {},
  ): Qkv {
    const context = this.#context;
    const { tokens } = context;
    const [keyLength, valueLength] = [context.keyLength(il), context.valueLength(il)];
    const [heads, kvHeads] = [context.heads(il), context.kvHeads(il)];
    const queryLength = options.queryWidth ?? keyLength;
    const flat = options.flat === true;
    const fused = context.weightOrNull(il, 'attn_qkv');
    if (fused !== null) {
      const qkv = context.linear(x, fused, context.biasOrNull(il, 'attn_qkv'));
      const part = (length: number, count: number): Tensor =>
        flat
          ? contiguous(view(qkv, [length * count, tokens], [qkv.nb1]))
          : view(qkv, [length, count, tokens], [length * qkv.nb0, qkv.nb1]);
      return {
        q: part(queryLength, heads),
        k: part(keyLength, kvHeads),
        v: part(valueLength, kvHeads),
      };
    }
    const part = (name: string, length: number, count: number): Tensor => {
      const weight = context.weight(il, name);
      const product = context.linear(x, weight, context.biasOrNull(il, name));
      return flat ? product : reshape(product, length, count, tokens);
    };
    return {
      q: part('attn_q', queryLength, heads),
      k: part('attn_k', keyLength, kvHeads),
      v: part('attn_v', valueLength, kvHeads),
    };
  }

  /** Stores keys and values, and attends. `k` and `v` are `null` where the layer reads an earlier cache. */
  attend(il: number, q: Tensor, k: Tensor | null, v: Tensor | null, parts: AttentionParts): Tensor {
    const context = this.#context;
    const { graph } = context;
    const latent = context.model.latent !== null;
    const windowed = context.model.window?.layers[il] === true;
    const cache = windowed && this.#windowed !== null ? this.#windowed : this.#full;
    // Latent caches are not rotated.
    const keyRotation = latent ? null : cache.keyRotation;
    const valueRotation = latent ? null : cache.valueRotation;
    const query = rotate(q, keyRotation);
    const key = k === null ? null : rotate(k, keyRotation);
    const value = v === null ? null : rotate(v, valueRotation);
    graph.expand(query);
    // In the graph of a model with windows, the key comes before the value. In other graphs, the key comes after
    // the value.
    const early = this.#windowed === null ? value : key;
    const late = this.#windowed === null ? key : value;
    if (early !== null) graph.expand(early);
    if (late !== null) graph.expand(late);
    const keyCache = context.keyCache(il);
    const valueCache = latent ? null : context.valueCache(il);
    if (key !== null) graph.expand(cache.storeKey(key, keyCache));
    if (value !== null && valueCache !== null) graph.expand(cache.storeValue(value, valueCache));
    const cachedKey = cache.readKey(il, keyCache);
    const cachedValue =
      valueCache === null ? latentValue(cachedKey, value) : cache.readValue(il, valueCache);
    let result = this.#heads(query, cachedKey, cachedValue, cache.mask, parts);
    result = rotate(result, valueRotation);
    if (parts.output === null) return result;
    result = matMul(parts.output, result);
    return parts.outputBias == null ? result : add(result, parts.outputBias);
  }

  #heads(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, parts: AttentionParts): Tensor {
    const context = this.#context;
    const { offloadsKvCache, pinsFlashAttention } = context.settings;
    const streams = k.ne3;
    const split = view(
      q,
      [q.ne0, q.ne1, q.ne2 / streams, streams],
      [q.nb1, q.nb2, q.nb3 / streams],
    );
    const transposed = v.nb1 > v.nb2;
    const query = swapHeads(split);
    const key = swapHeads(k);
    let value = swapHeads(v);
    const latentValues = parts.latentValues ?? null;
    let result: Tensor;
    if (context.settings.flashAttention) {
      if (transposed) value = transpose(value);
      result = flashAttention(query, castToHalf(key), castToHalf(value), mask, parts.sinks ?? null);
      if (!offloadsKvCache && pinsFlashAttention) result.pinnedTo = context.cpu;
      if (latentValues !== null)
        result = contiguous(swapHeads(matMul(latentValues, swapHeads(result))));
      result = reshape(result, result.ne0 * result.ne1, result.ne2 * result.ne3);
    } else {
      let scores = matMul(key, query);
      if (this.#softCapped) scores = inPlace(inPlace(inPlace(scores)));
      scores = parts.sinks == null ? softMax(scores, mask) : softMax(scores, mask, parts.sinks);
      if (!transposed) value = contiguous(transpose(value));
      result = matMul(value, scores);
      if (latentValues !== null) result = matMul(latentValues, result);
      const merged = swapHeads(result);
      result = contiguous2d(merged, merged.ne0 * merged.ne1, merged.ne2 * merged.ne3);
      if (!offloadsKvCache) result.pinnedTo = context.cpu;
    }
    context.graph.expand(result);
    return result;
  }
}

/** The values of latent attention: the first part of each cached key. */
function latentValue(key: Tensor, value: Tensor | null): Tensor {
  if (value === null) throw new GraphUnavailableError('a latent layer has no separate values');
  return view(key, [value.ne0, key.ne1, key.ne2, key.ne3], [key.nb1, key.nb2, key.nb3]);
}

/** Multiplies a tensor with a rotation, block by block. */
function rotate(x: Tensor, rotation: Tensor | null): Tensor {
  if (rotation === null) return x;
  const size = rotation.ne0;
  const rows = x.elements / size;
  const flat = x.isContiguous ? reshape(x, size, rows) : contiguous2d(x, size, rows);
  return reshape(matMul(rotation, flat), x.ne0, x.ne1, x.ne2, x.ne3);
}
