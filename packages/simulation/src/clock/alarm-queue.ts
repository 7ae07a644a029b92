/** Something that is due at a time. */
export interface Due {
  readonly atMs: number;
  /** The order in which alarms were added: the first is due first among those of the same time. */
  readonly order: number;
  /** Cancelled alarms are skipped. */
  cancelled: boolean;
}

/**
 * Alarms by time: a binary heap. A trace of a day has a hundred thousand alarms; searching a list for the
 * next would take minutes.
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

  /** The next alarm, which stays in the queue; `null` when there is none. */
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

  /** The index of the child that is due sooner; beyond the heap where there is no child. */
  #soonerChild(index: number): number {
    const left = 2 * index + 1;
    const [one, other] = [this.#heap[left], this.#heap[left + 1]];
    return one !== undefined && other !== undefined && isSooner(other, one) ? left + 1 : left;
  }
}

function isSooner(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
