import { pad } from '../../pad.js';

/** A free block of a buffer, in bytes. */
interface Block {
  offset: number;
  size: number;
}

/**
 * ggml's dynamic allocator. It takes the free block that fits best. The last block has no end, and is taken only if
 * no other block fits. Neighbouring free blocks are merged. The allocator measures how large a buffer must be.
 * Source: ggml/src/ggml-alloc.c.
 */
export class FreeList {
  /** The size that the buffer needs; NaN after an allocation of NaN bytes. */
  peak = 0;
  /** The most bytes in use at once. No packing needs less. */
  livePeak = 0;
  #live = 0;
  readonly #alignment: number;
  /** Free blocks in the order of their offsets. */
  readonly #blocks: Block[] = [{ offset: 0, size: Infinity }];

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  /** Offset and size of each free block. */
  snapshot(): readonly number[] {
    return this.#blocks.flatMap(({ offset, size }) => [offset, size]);
  }

  aligned(size: number): number {
    return pad(size, this.#alignment);
  }

  /** Allocates a block and returns its offset. */
  take(bytes: number): number {
    const size = this.aligned(bytes);
    this.#live += size;
    if (this.#live > this.livePeak) this.livePeak = this.#live;
    let best: Block | null = null;
    for (const block of this.#blocks) {
      if (block.size >= size && (best === null || block.size <= best.size)) best = block;
    }
    if (best === null) {
      this.peak = Number.NaN;
      return 0;
    }
    const { offset } = best;
    if (best.size === size) {
      this.#blocks.splice(this.#blocks.indexOf(best), 1);
    } else {
      best.offset += size;
      best.size -= size;
    }
    if (offset + size > this.peak) this.peak = offset + size;
    return offset;
  }

  /**
   * Frees a block. The checks have the same order as in ggml, because the order decides which blocks are merged.
   */
  give(offset: number, bytes: number): void {
    const size = this.aligned(bytes);
    this.#live -= size;
    const blocks = this.#blocks;
    const end = offset + size;
    let insertAt = 0;
    let i = 0;
    let previous: Block | null = null;
    for (const block of blocks) {
      if (block.offset + block.size === offset) {
        block.size += size;
        const next = blocks[i + 1];
        if (next?.offset === end) this.#merge(block, next, i + 1);
        return;
      }
      if (block.offset === end) {
        block.offset = offset;
        block.size += size;
        if (previous !== null && previous.offset + previous.size === offset)
          this.#merge(previous, block, i);
        return;
      }
      i += 1;
      if (block.offset < offset) insertAt = i;
      previous = block;
    }
    blocks.splice(insertAt, 0, { offset, size });
  }

  #merge(block: Block, next: Block, indexOfNext: number): void {
    block.size += next.size;
    this.#blocks.splice(indexOfNext, 1);
  }
}
