/** An alarm that is due at a time. */
export interface Due {
  readonly atMs: number;
  /** Alarms of the same time are due in this order. */
  readonly order: number;
  /** Cancelled alarms are skipped. */
  cancelled: boolean;
}

/**
 * Alarms by time, as a binary heap. A trace of a day has a hundred thousand alarms, so searching a list for the
 * next alarm would take minutes.
 */
export class AlarmQueue<Alarm extends Due> {
  readonly #heap: Alarm[] = [];

  add(alarm: Alarm): void {
    const heap = this.#heap;
    heap.push(alarm);
    let index = heap.length - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isSooner(alarm, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = alarm;
  }

  /** Returns the next alarm and leaves it in the queue; `null` for an empty queue. */
  peek(): Alarm | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return null;
      if (!first.cancelled) return first;
      this.take();
    }
  }

  /** Removes the first alarm, cancelled or not. */
  take(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const childIndex = this.#soonerChild(index);
      const child = heap[childIndex];
      if (child === undefined || !isSooner(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }

  /** The index of the child that is due sooner. Without a child, an index beyond the heap. */
  #soonerChild(index: number): number {
    const left = 2 * index + 1;
    const [one, other] = [this.#heap[left], this.#heap[left + 1]];
    return one !== undefined && other !== undefined && isSooner(other, one) ? left + 1 : left;
  }
}

function isSooner(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
