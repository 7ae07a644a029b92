import { createHistory } from '../history/history.js';
import { judgeSnapshots } from '../monitor/judge-snapshots.js';
import type { CallOptions, ResourceMonitor, WatchOptions } from '../monitor/resource-monitor.js';
import type { Clock } from '../ports/clock.js';
import { abortReason } from '../ports/clock.js';
import type { TimedSnapshot } from '../sampling/wait-until-settled.js';
import { SETTLE_TIMEOUT_MS, waitUntilSettled } from '../sampling/wait-until-settled.js';
import type { ResourceSnapshot } from '../snapshot.js';

/** Plays samples as a live monitor would have given them. There is at least one. */
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
  /** When a sample is due, on the clock of this replay. */
  const dueMs = (index: number): number =>
    (startedMs ?? 0) + (sampleAt(index).atMs - firstMs) / speed;
  /** Takes in everything that is due by now; the first call is the moment of the first sample. */
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
  /** The next sample after `seen`, in its time; null after the last. */
  const next = async (seen: number, signal: AbortSignal | null): Promise<number | null> => {
    if (signal?.aborted === true) throw abortReason(signal);
    if (stepping) moveTo(Math.max(position, seen + 1));
    else catchUp();
    if (position > seen) return position;
    if (seen >= samples.length - 1 || closing.signal.aborted) return null;
    const either = AbortSignal.any([closing.signal, ...(signal === null ? [] : [signal])]);
    try {
      await clock.sleep(Math.max(0, dueMs(seen + 1) - clock.monotonicMs()), { signal: either });
    } catch (error) {
      // Disposed of: that is an end. The caller's own signal is not.
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
      // Stepping, none is left out; in time, whoever is slow gets the newest.
      seen = stepping ? Math.min(index, seen + 1) : index;
      yield sampleAt(seen).snapshot;
    }
  }
  const snapshot = ({ signal }: CallOptions = {}): Promise<ResourceSnapshot> => {
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    return Promise.resolve(current());
  };

  return {
    snapshot,
    readRam: async () => (await snapshot()).ram,
    async settled({ signal = undefined, timeoutMs = SETTLE_TIMEOUT_MS } = {}) {
      const first = await snapshot(signal === undefined ? {} : { signal });
      let seen = position - 1;
      const { atMs: startMs } = sampleAt(position);
      const step = async (): Promise<TimedSnapshot | null> => {
        const index = await next(seen, signal ?? null);
        if (index === null) return null;
        seen = index;
        return sampleAt(index);
      };
      const settled = await waitUntilSettled(step, startMs, timeoutMs);
      return settled ?? { ...first, settled: false, moving: [], waitedMs: 0 };
    },
    watch: ({ signal = undefined }: WatchOptions = {}) => watch(signal ?? null),
    ...judgeSnapshots(history, snapshot, () => history.newestMs),
    // What was known is in the samples.
    inform: () => undefined,
    inventory: () => Promise.resolve(null),
    [Symbol.asyncDispose]() {
      closing.abort();
      return Promise.resolve();
    },
  };
}
