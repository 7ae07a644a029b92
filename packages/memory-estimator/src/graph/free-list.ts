/**
 * ggml's dynamic allocator: best fit among the free blocks, the last one only when none other fits, and
 * freed neighbours merged. It measures how large a buffer must be. Source: ggml/src/ggml-alloc.c.
 */
export class FreeList {
  /** The size that the buffer must have. */
  peak = 0;
  /** The most bytes that were in use at once: no packing can do with less. */
  livePeak = 0;
  #live = 0;
  readonly #alignment: number;
  readonly #offsets: number[] = [0];
  readonly #sizes: number[] = [Infinity];

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  /** Where memory is free: all offsets, then all sizes. */
  snapshot(): readonly number[] {
    return [...this.#offsets, ...this.#sizes];
  }

  aligned(size: number): number {
    return Math.ceil(size / this.#alignment) * this.#alignment;
  }

  take(bytes: number): number {
    const size = this.aligned(bytes);
    this.#live += size;
    if (this.#live > this.livePeak) this.livePeak = this.#live;
    const offsets = this.#offsets;
    const sizes = this.#sizes;
    const last = sizes.length - 1;
    let best = -1;
    let bestSize = Infinity;
    for (let i = 0; i < last; i += 1) {
      const free = sizes[i] as number;
      if (free >= size && free <= bestSize) {
        best = i;
        bestSize = free;
      }
    }
    if (best === -1) best = last;
    const offset = offsets[best] as number;
    if (best !== last && bestSize === size) {
      offsets.splice(best, 1);
      sizes.splice(best, 1);
    } else {
      offsets[best] = offset + size;
      sizes[best] = (sizes[best] as number) - size;
    }
    if (offset + size > this.peak) this.peak = offset + size;
    return offset;
  }

  /** Order and ties are ggml's own, zero-sized blocks included: they decide what merges. */
  give(offset: number, bytes: number): void {
    const size = this.aligned(bytes);
    this.#live -= size;
    const offsets = this.#offsets;
    const sizes = this.#sizes;
    const end = offset + size;
    let insertAt = 0;
    for (let i = 0; i < offsets.length; i += 1) {
      const start = offsets[i] as number;
      const length = sizes[i] as number;
      if (start + length === offset) {
        sizes[i] = length + size;
        if (offsets[i + 1] === end) this.#mergeIntoPrevious(i + 1);
        return;
      }
      if (start === end) {
        offsets[i] = offset;
        sizes[i] = length + size;
        if (i > 0 && (offsets[i - 1] as number) + (sizes[i - 1] as number) === offset)
          this.#mergeIntoPrevious(i);
        return;
      }
      if (start < offset) insertAt = i + 1;
    }
    offsets.splice(insertAt, 0, offset);
    sizes.splice(insertAt, 0, size);
  }

  #mergeIntoPrevious(i: number): void {
    this.#sizes[i - 1] = (this.#sizes[i - 1] as number) + (this.#sizes[i] as number);
    this.#offsets.splice(i, 1);
    this.#sizes.splice(i, 1);
  }
}
