import { checkRange } from '@mai/memory-ledger';
import { createHistory } from '../history/history.js';
import { snapshotQuestions } from '../monitor/snapshot-questions.js';
import type { CallOptions, ResourceMonitor } from '../monitor/resource-monitor.js';
import type { WatchOptions } from '../sampling/watch-loop.js';
import { rejectedBy } from '../ports/clock.js';
import type { Clock } from '../ports/clock.js';
import type { TimedSnapshot } from '../sampling/settle-detector.js';
import { SETTLE_TIMEOUT_MS, waitUntilSettled } from '../sampling/settle-detector.js';
import { boundsOf } from '../sampling/watch-loop.js';
import type { ResourceSnapshot } from '../snapshot.js';

/** A monitor that returns recorded samples at their recorded times. `samples` must not be empty. */
export function replay(
  samples: readonly TimedSnapshot[],
  clock: Clock,
  speed: number,
): ResourceMonitor {
  const stepping = speed === Number.POSITIVE_INFINITY;
  const history = createHistory();
  const closing = new AbortController();
  let position = -1;
  let startedMs: number | null = null;

  const sampleAt = (index: number): TimedSnapshot => {
    const sample = samples[Math.min(samples.length - 1, Math.max(0, index))];
    if (sample === undefined) throw new Error('A recording without samples was replayed.');
    return sample;
  };
  const moveTo = (index: number): void => {
    while (position < Math.min(index, samples.length - 1)) {
      position += 1;
      const { snapshot, atMs } = sampleAt(position);
      history.record(snapshot, atMs);
    }
  };
  const firstMs = sampleAt(0).atMs;
  /** When a sample is due, in monotonic milliseconds of this replay. */
  const dueMs = (index: number): number =>
    (startedMs ?? 0) + (sampleAt(index).atMs - firstMs) / speed;
  /** Advances to the newest sample that is due. The first call starts the replay with the first sample. */
  const catchUp = (): void => {
    if (startedMs === null) {
      startedMs = clock.monotonicMs();
      moveTo(0);
    }
    while (position + 1 < samples.length && dueMs(position + 1) <= clock.monotonicMs()) {
      moveTo(position + 1);
    }
  };
  const current = (): ResourceSnapshot => {
    if (stepping) moveTo(position + 1);
    else catchUp();
    return sampleAt(position).snapshot;
  };
  /** Waits for the next sample after `seen` and returns its index; null after the last. */
  const next = async (seen: number, signal: AbortSignal | null): Promise<number | null> => {
    signal?.throwIfAborted();
    if (stepping) moveTo(Math.max(position, seen + 1));
    else catchUp();
    if (position > seen) return position;
    if (seen >= samples.length - 1 || closing.signal.aborted) return null;
    const either = AbortSignal.any([closing.signal, ...(signal === null ? [] : [signal])]);
    try {
      await clock.sleep(Math.max(0, dueMs(seen + 1) - clock.monotonicMs()), { signal: either });
    } catch (error) {
      // After `dispose` the iteration ends. If the caller's signal fired, the iteration rejects instead.
      if (closing.signal.aborted) return null;
      throw error;
    }
    return next(seen, signal);
  };
  async function* watch(signal: AbortSignal | null): AsyncGenerator<ResourceSnapshot, void> {
    let seen = stepping ? position : -1;
    for (;;) {
      const index = await next(seen, signal);
      if (index === null) return;
      // At infinite speed no sample is skipped. At any other speed a slow consumer gets the newest sample.
      seen = stepping ? Math.min(index, seen + 1) : index;
      yield sampleAt(seen).snapshot;
    }
  }
  const snapshot = ({ signal }: CallOptions = {}): Promise<ResourceSnapshot> => {
    if (signal?.aborted === true) return rejectedBy(signal);
    return Promise.resolve(current());
  };

  return {
    snapshot,
    readRam: async () => (await snapshot()).ram,
    async settled({ signal = undefined, timeoutMs = SETTLE_TIMEOUT_MS } = {}) {
      checkRange('timeoutMs', timeoutMs, 0, Infinity);
      await snapshot(signal === undefined ? {} : { signal });
      let seen = position;
      const first = sampleAt(seen);
      const step = async (): Promise<TimedSnapshot | null> => {
        const index = await next(seen, signal ?? null);
        if (index === null) return null;
        seen = index;
        return sampleAt(index);
      };
      return waitUntilSettled(first, step, first.atMs, timeoutMs);
    },
    watch: ({ signal = undefined, intervalMs }: WatchOptions = {}) => {
      boundsOf(intervalMs);
      return watch(signal ?? null);
    },
    ...snapshotQuestions(history, snapshot, () => history.newestMs),
    // Facts are ignored, because the samples already contain those known at recording time.
    inform: () => undefined,
    inventory: () => Promise.resolve(null),
    [Symbol.asyncDispose]() {
      closing.abort();
      return Promise.resolve();
    },
  };
}
