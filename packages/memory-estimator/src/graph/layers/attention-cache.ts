import { isQuantizedCacheType } from '@mai/memory-ledger';
import { rowBytes } from '../../gguf/tensor-types.js';
import { widestValue } from '../../parts/context-buffers.js';
import { castToHalf, contiguous2d, input, reshape, setRows, view } from '../tensors/ops.js';
import { F16, F32, I64, type Tensor } from '../tensors/tensor.js';
import type { GraphContext } from './graph-context.js';

/** Size of the smallest Hadamard matrix that quantized caches are rotated with. */
const ROTATION = 64;

/** The KV cache of either all layers with full attention or all layers with a window. Source: llama-kv-cache.cpp. */
export class AttentionCache {
  readonly mask: Tensor;
  /** Rotations that reduce the error of a quantized cache; `null` for a cache of plain numbers. */
  readonly keyRotation: Tensor | null;
  readonly valueRotation: Tensor | null;
  readonly #context: GraphContext;
  /** Positions that rows are stored at. */
  readonly #keyIds: Tensor;
  readonly #valueIds: Tensor;

  constructor(context: GraphContext, windowed: boolean) {
    const { model, settings, shape, tokens } = context;
    const cells = windowed ? shape.windowCells : shape.cells;
    const valueRows = settings.flashAttention ? tokens : tokens * widestValue(model);
    const keyLength = windowed ? model.keyLengthWindowed : model.keyLength;
    const valueLength = windowed ? model.valueLengthWindowed : model.valueLength;
    // llama.cpp looks at the heads of the first layer, although the heads of the cache's own layers may differ.
    const rotatesKeys =
      context.keyLength(0) % ROTATION === 0 &&
      keyLength > 0 &&
      isQuantizedCacheType(settings.kvCacheTypeK);
    const rotatesValues =
      context.valueLength(0) % ROTATION === 0 &&
      valueLength > 0 &&
      isQuantizedCacheType(settings.kvCacheTypeV);
    const size = largestPowerDivisor(keyLength);
    this.#context = context;
    this.#keyIds = input(I64, tokens);
    this.#valueIds = input(I64, valueRows);
    const mask = input(
      settings.flashAttention && !settings.castsMask ? F16 : F32,
      cells,
      tokens / shape.streams,
      1,
      shape.streams,
    );
    this.mask = settings.flashAttention ? castToHalf(mask) : mask;
    this.keyRotation = rotatesKeys ? input(F32, size, size) : null;
    this.valueRotation = rotatesValues ? input(F32, ROTATION, ROTATION) : null;
  }

  storeKey(key: Tensor, cache: Tensor): Tensor {
    const rows = view(key, [key.ne0 * key.ne1, key.ne2], [key.nb2]);
    return setRows(mergeStreams(cache), rows, this.#keyIds);
  }

  storeValue(value: Tensor, cache: Tensor): Tensor {
    const width = value.ne0 * value.ne1;
    const tokens = value.ne2;
    if (this.#context.settings.flashAttention) {
      const rows = view(value, [width, tokens], [value.nb2]);
      return setRows(mergeStreams(cache), rows, this.#valueIds);
    }
    // Without flash attention, values are stored transposed, element by element.
    const packed = rowBytes(value.type, width) === value.nb2;
    const rows = packed ? reshape(value, width, tokens) : contiguous2d(value, width, tokens);
    return setRows(
      reshape(cache, 1, cache.elements),
      reshape(rows, 1, rows.elements),
      this.#valueIds,
    );
  }

  readKey(il: number, cache: Tensor): Tensor {
    const length = this.#context.keyLength(il);
    const { type, ne0: width, ne1: cells, ne2: streams } = cache;
    return view(
      cache,
      [length, this.#context.kvHeads(il), cells, streams],
      [rowBytes(type, length), rowBytes(type, width), rowBytes(type, width * cells)],
    );
  }

  readValue(il: number, cache: Tensor): Tensor {
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
}

/** All streams of a cache as one run of cells. */
function mergeStreams(cache: Tensor): Tensor {
  return cache.ne2 > 1 ? reshape(cache, cache.ne0, cache.ne1 * cache.ne2) : cache;
}

/** The largest power of two that divides the length of a head; at least 64. */
function largestPowerDivisor(length: number): number {
  let size = ROTATION;
  while (length % (size * 2) === 0 && length > 0) size *= 2;
  return size;
}
