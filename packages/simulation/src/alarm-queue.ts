/** What is due at a time; of those at the same time the one that was added first comes first. */
export interface Due {
  readonly atMs: number;
  readonly order: number;
  /** Once true it is passed over. */
  cancelled: boolean;
}

/**
 * The next of many alarms: a binary heap. A trace of a day has a hundred thousand, and looking through
 * all of them for each simulated second would take minutes.
 */
export class AlarmQueue<Alarm extends Due> {
  readonly #heap: Alarm[] = [];

  add(alarm: Alarm): void {
    const heap = this.#heap;
    let index = heap.push(alarm) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isSooner(alarm, heap[parent] as Alarm)) break;
      heap[index] = heap[parent] as Alarm;
      index = parent;
    }
    heap[index] = alarm;
  }

  /** The next one, which stays; null when there is none. */
  peek(): Alarm | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return null;
      if (!first.cancelled) return first;
      this.take();
    }
  }

  /** Takes the first one out. */
  take(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child =
        right < heap.length && isSooner(heap[right] as Alarm, heap[left] as Alarm) ? right : left;
      if (!isSooner(heap[child] as Alarm, last)) break;
      heap[index] = heap[child] as Alarm;
      index = child;
    }
    heap[index] = last;
  }
}

function isSooner(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
