import { checkInterval } from './check-interval.js';
import type { Clock } from '../ports/clock.js';
import type { ResourceSnapshot } from '../snapshot.js';
import type { IntervalBounds } from './adaptive-interval.js';
import { nextIntervalMs } from './adaptive-interval.js';
import { createBroadcast } from './broadcast.js';

/** Options of `watch`. */
export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds between samples. With a pair the monitor chooses the interval: long while nothing changes,
   * short near a limit or during a load. From 1 to 2147483647, and `minMs` is at most `maxMs`. Default:
   * `{ minMs: 250, maxMs: 5000 }`.
   */
  readonly intervalMs?: number | { readonly minMs: number; readonly maxMs: number } | undefined;
}

const ADAPTIVE: IntervalBounds = { minMs: 250, maxMs: 5000 };
const FIRST_INTERVAL_MS = 1000;

/** The bounds that a watcher asks for, in a new object, because two watchers may pass the same one. @throws RangeError */
export function boundsOf(requested: WatchOptions['intervalMs'] = ADAPTIVE): IntervalBounds {
  const bounds =
    typeof requested === 'number' ? { minMs: requested, maxMs: requested } : { ...requested };
  checkInterval(bounds);
  return bounds;
}

/** One sampling loop for all watchers. It runs only while there is a watcher. */
export interface WatchLoop {
  watch(options: WatchOptions): AsyncIterableIterator<ResourceSnapshot>;
  setLoading(loading: boolean): void;
  /** The running loop's interval; null while nobody watches. */
  readonly intervalMs: number | null;
}

export function createWatchLoop(options: {
  readonly clock: Clock;
  readonly take: () => Promise<ResourceSnapshot>;
  /** Called with the interval after each sample. */
  readonly onInterval: (intervalMs: number) => void;
  /** Called when the loop has stopped. */
  readonly onIdle: () => void;
  readonly closing: AbortSignal;
}): WatchLoop {
  const { clock, take, onInterval, onIdle, closing } = options;
  const requests = new Set<IntervalBounds>();
  let broadcast = createBroadcast<ResourceSnapshot>();
  let running = false;
  let loading = false;
  let intervalMs = FIRST_INTERVAL_MS;
  /** Ends the wait for the next sample early. */
  let waiting = new AbortController();

  /** Every watcher gets samples at least as often as it asked for. */
  const bounds = (): IntervalBounds => ({
    minMs: Math.min(...[...requests].map(({ minMs }) => minMs)),
    maxMs: Math.min(...[...requests].map(({ maxMs }) => maxMs)),
  });
  const run = async (): Promise<void> => {
    running = true;
    let before: ResourceSnapshot | null = null;
    intervalMs = FIRST_INTERVAL_MS;
    try {
      while (requests.size > 0 && !closing.aborted) {
        const startedMs = clock.monotonicMs();
        const now = await take();
        broadcast.publish(now);
        if (requests.size === 0) break;
        intervalMs = nextIntervalMs(before, now, intervalMs, loading, bounds());
        onInterval(intervalMs);
        before = now;
        await pause(Math.max(0, intervalMs - (clock.monotonicMs() - startedMs)));
      }
      broadcast.end(null);
    } catch (error) {
      broadcast.end({ error });
    }
    broadcast = createBroadcast();
    running = false;
    onIdle();
  };
  const pause = async (ms: number): Promise<void> => {
    waiting = new AbortController();
    await clock.sleep(ms, { signal: waiting.signal }).catch(() => undefined);
  };
  closing.addEventListener('abort', () => waiting.abort(), { once: true });

  return {
    watch({ signal = undefined, intervalMs: requested }) {
      const request = boundsOf(requested);
      requests.add(request);
      const samples = broadcast.listen(signal ?? null, () => {
        requests.delete(request);
        if (requests.size === 0) waiting.abort();
      });
      // A new watcher gets a sample at once, and may have asked for a shorter interval.
      if (running) waiting.abort();
      else if (requests.size > 0) void run();
      return samples;
    },
    setLoading(next) {
      if (next === loading) return;
      loading = next;
      waiting.abort();
    },
    get intervalMs() {
      return running ? intervalMs : null;
    },
  };
}
