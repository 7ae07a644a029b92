import type { WatchOptions } from '../monitor/resource-monitor.js';
import type { Clock } from '../ports/clock.js';
import type { ResourceSnapshot } from '../snapshot.js';
import type { IntervalBounds } from './adaptive-interval.js';
import { nextIntervalMs } from './adaptive-interval.js';
import { createBroadcast } from './broadcast.js';

const ADAPTIVE: IntervalBounds = { minMs: 250, maxMs: 5000 };
const FIRST_INTERVAL_MS = 1000;

/** One loop of samples for everyone who watches; it runs only while someone does. */
export interface WatchLoop {
  watch(options: WatchOptions): AsyncIterableIterator<ResourceSnapshot>;
  setLoading(loading: boolean): void;
  /** Of the running loop; null while nobody watches. */
  readonly intervalMs: number | null;
}

export function createWatchLoop(options: {
  readonly clock: Clock;
  readonly take: () => Promise<ResourceSnapshot>;
  readonly onPace: (intervalMs: number) => void;
  readonly onIdle: () => void;
  readonly closing: AbortSignal;
}): WatchLoop {
  const { clock, take, onPace, onIdle, closing } = options;
  const wishes = new Set<IntervalBounds>();
  let broadcast = createBroadcast<ResourceSnapshot>();
  let running = false;
  let loading = false;
  let intervalMs = FIRST_INTERVAL_MS;
  /** Cuts the wait for the next sample short. */
  let waiting = new AbortController();

  /** Everyone is served at least as often as they asked. */
  const bounds = (): IntervalBounds => ({
    minMs: Math.min(...[...wishes].map(({ minMs }) => minMs)),
    maxMs: Math.min(...[...wishes].map(({ maxMs }) => maxMs)),
  });
  const run = async (): Promise<void> => {
    running = true;
    let before: ResourceSnapshot | null = null;
    intervalMs = FIRST_INTERVAL_MS;
    try {
      while (wishes.size > 0 && !closing.aborted) {
        const startedMs = clock.monotonicMs();
        const now = await take();
        broadcast.publish(now);
        if (wishes.size === 0) break;
        intervalMs = nextIntervalMs(before, now, intervalMs, loading, bounds());
        onPace(intervalMs);
        before = now;
        await pause(Math.max(0, intervalMs - (clock.monotonicMs() - startedMs)));
      }
      broadcast.end(null);
    } catch (error) {
      broadcast.end(error as Error);
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
    watch({ signal = undefined, intervalMs: wish = ADAPTIVE }) {
      const wished = typeof wish === 'number' ? { minMs: wish, maxMs: wish } : wish;
      const entry = { ...wished };
      wishes.add(entry);
      const samples = broadcast.listen(signal ?? null, () => {
        wishes.delete(entry);
        if (wishes.size === 0) waiting.abort();
      });
      // A newcomer gets a sample at once, and its wish may be for more of them.
      if (running) waiting.abort();
      else if (wishes.size > 0) void run();
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
