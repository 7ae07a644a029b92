import { rowBytes } from '../parts/kv-cache.js';
import { isPlainType } from '../settings/estimate-settings.js';
import type { GraphContext } from './graph-context.js';
import {
  add,
  castToHalf,
  contiguous,
  contiguous2d,
  flashAttention,
  inPlace,
  input,
  matMul,
  reshape,
  setRows,
  softMax,
  swapHeads,
  transpose,
  view,
} from './ops.js';
import { F16, F32, I64, type Tensor } from './tensor.js';

/** The inputs that all layers with the same kind of cache share. */
interface CacheInputs {
  readonly keyIds: Tensor;
  readonly valueIds: Tensor;
  readonly mask: Tensor;
  /** Rotations that make quantized caches lose less, or null. */
  readonly keyRotation: Tensor | null;
  readonly valueRotation: Tensor | null;
}

/** Query, key and value of a layer, by head. */
export interface Qkv {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** What attention gives out through, and what else it takes. */
export interface AttentionParts {
  readonly output: Tensor | null;
  readonly outputBias?: Tensor | null;
  readonly sinks?: Tensor | null;
  /** Latent attention: what turns the latent result back into values. */
  readonly latentValues?: Tensor | null;
}

/** Attention over a cache: build_attn and build_attn_mha in llama-graph.cpp, llama-kv-cache.cpp. */
export class Attention {
  readonly #context: GraphContext;
  readonly #full: CacheInputs;
  readonly #windowed: CacheInputs | null;

  readonly #softCapped: boolean;

  constructor(context: GraphContext, options: { readonly softCapped?: boolean } = {}) {
    this.#context = context;
    this.#softCapped = options.softCapped === true;
    const { window } = context.model;
    this.#full = this.#inputs(false);
    this.#windowed = window === null ? null : this.#inputs(true);
  }

  /** Projects to queries, keys and values; from three matrices or from a fused one. */
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

  /** Stores keys and values (unless another layer did) and attends. */
  attend(il: number, q: Tensor, k: Tensor | null, v: Tensor | null, parts: AttentionParts): Tensor {
    const context = this.#context;
    const { graph } = context;
    const latent = context.model.latent !== null;
    const windowed = context.model.window?.layers[il] === true;
    const inputs = windowed && this.#windowed !== null ? this.#windowed : this.#full;
    // Latent caches are stored as they are.
    const keyRotation = latent ? null : inputs.keyRotation;
    const valueRotation = latent ? null : inputs.valueRotation;
    const query = rotate(q, keyRotation);
    const key = k === null ? null : rotate(k, keyRotation);
    const value = v === null ? null : rotate(v, valueRotation);
    graph.expand(query);
    // Caches with windows take the key before the value, the others after.
    const early = this.#windowed === null ? value : key;
    const late = this.#windowed === null ? key : value;
    if (early !== null) graph.expand(early);
    if (late !== null) graph.expand(late);
    const keyCache = context.keyCache(il);
    const valueCache = latent ? null : context.valueCache(il);
    if (key !== null) graph.expand(this.#storeKey(key, keyCache, inputs));
    if (value !== null && valueCache !== null)
      graph.expand(this.#storeValue(value, valueCache, inputs));
    const cachedKey = this.#readKey(il, keyCache);
    const cachedValue =
      valueCache === null
        ? view(
            cachedKey,
            [(value as Tensor).ne0, cachedKey.ne1, cachedKey.ne2, cachedKey.ne3],
            [cachedKey.nb1, cachedKey.nb2, cachedKey.nb3],
          )
        : this.#readValue(il, valueCache);
    let result = this.#heads(query, cachedKey, cachedValue, inputs.mask, parts);
    result = rotate(result, valueRotation);
    if (parts.output === null) return result;
    result = matMul(parts.output, result);
    return parts.outputBias == null ? result : add(result, parts.outputBias);
  }

  #heads(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, parts: AttentionParts): Tensor {
    const context = this.#context;
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
    }
    context.graph.expand(result);
    return result;
  }

  #storeKey(key: Tensor, cache: Tensor, inputs: CacheInputs): Tensor {
    const rows = view(key, [key.ne0 * key.ne1, key.ne2], [key.nb2]);
    return setRows(merged(cache), rows, inputs.keyIds);
  }

  #storeValue(value: Tensor, cache: Tensor, inputs: CacheInputs): Tensor {
    const width = value.ne0 * value.ne1;
    const tokens = value.ne2;
    if (this.#context.settings.flashAttention) {
      const rows = view(value, [width, tokens], [value.nb2]);
      return setRows(merged(cache), rows, inputs.valueIds);
    }
    // Without flash attention values are stored transposed, element by element.
    const packed = rowBytes(value.type, width) === value.nb2;
    const rows = packed ? reshape(value, width, tokens) : contiguous2d(value, width, tokens);
    return setRows(
      reshape(cache, 1, cache.elements),
      reshape(rows, 1, rows.elements),
      inputs.valueIds,
    );
  }

  #readKey(il: number, cache: Tensor): Tensor {
    const length = this.#context.keyLength(il);
    const { type, ne0: width, ne1: cells, ne2: streams } = cache;
    return view(
      cache,
      [length, this.#context.kvHeads(il), cells, streams],
      [rowBytes(type, length), rowBytes(type, width), rowBytes(type, width * cells)],
    );
  }

  #readValue(il: number, cache: Tensor): Tensor {
    const length = this.#context.valueLength(il);
    const heads = this.#context.kvHeads(il);
    const { type, ne0: width, ne1: cells, ne2: streams } = cache;
    const stream = rowBytes(type, width * cells);
    if (this.#context.settings.flashAttention)
      return view(
        cache,
        [length, heads, cells, streams],
        [rowBytes(type, length), rowBytes(type, width), stream],
      );
    return view(
      cache,
      [cells, heads, length, streams],
      [rowBytes(type, cells * length), rowBytes(type, cells), stream],
    );
  }

  #inputs(windowed: boolean): CacheInputs {
    const { model, settings, shape, tokens } = this.#context;
    const cells = windowed ? shape.windowCells : shape.cells;
    const maskType = settings.flashAttention ? F16 : F32;
    const valueRows = settings.flashAttention ? tokens : tokens * this.#widestValue();
    const keyLength = windowed ? model.keyLengthWindowed : model.keyLength;
    const valueLength = windowed ? model.valueLengthWindowed : model.valueLength;
    // The rule looks at the first layer's heads, wherever the cache's own heads may differ.
    const first = this.#context.keyLength(0) % ROTATION === 0;
    const rotatesKeys = first && keyLength > 0 && !isPlainType(settings.kvCacheTypeK);
    const rotatesValues =
      this.#context.valueLength(0) % ROTATION === 0 &&
      valueLength > 0 &&
      !isPlainType(settings.kvCacheTypeV);
    const size = largestPowerDivisor(keyLength);
    return {
      keyIds: input(I64, tokens),
      valueIds: input(I64, valueRows),
      mask: input(maskType, cells, tokens / shape.streams, 1, shape.streams),
      keyRotation: rotatesKeys ? input(F32, size, size) : null,
      valueRotation: rotatesValues ? input(F32, ROTATION, ROTATION) : null,
    };
  }

  #widestValue(): number {
    let widest = 0;
    for (let il = 0; il < this.#context.model.layersInFile; il += 1)
      widest = Math.max(widest, this.#context.valueLength(il) * this.#context.kvHeads(il));
    return widest;
  }
}

/** The smallest Hadamard matrix that caches are rotated with. */
const ROTATION = 64;

/** All streams of a cache as one run of cells. */
function merged(cache: Tensor): Tensor {
  return cache.ne2 > 1 ? reshape(cache, cache.ne0, cache.ne1 * cache.ne2) : cache;
}

function rotate(x: Tensor, rotation: Tensor | null): Tensor {
  if (rotation === null) return x;
  const size = rotation.ne0;
  const rows = x.elements / size;
  const flat = x.isContiguous ? reshape(x, size, rows) : contiguous2d(x, size, rows);
  return reshape(matMul(rotation, flat), x.ne0, x.ne1, x.ne2, x.ne3);
}

/** The largest power of two from 64 on that divides a head. */
function largestPowerDivisor(length: number): number {
  let size = ROTATION;
  while (length % (size * 2) === 0 && length > 0) size *= 2;
  return size;
}
