import { LONGEST_TIMER_MS } from '../longest-timer.js';
import { readState } from '../process/engine-http.js';
import type { EngineRecord } from './registry.js';

const STATE_DEADLINE_MS = 500;
/** Delay before a busy engine is asked again. */
const BUSY_DELAY_MS = 1000;

/**
 * Calls `unload` when an instance has been idle for its TTL. Every request restarts this time, and so does a busy
 * engine. The timer does not keep the process alive. Returns a function that ends the watch.
 */
export function watchTtl(
  { ttlMs, endpoint, loadedAtMs }: Pick<EngineRecord, 'ttlMs' | 'endpoint' | 'loadedAtMs'>,
  unload: () => void,
): () => void {
  if (ttlMs === null) return () => undefined;
  let isEnded = false;
  let timer: NodeJS.Timeout;
  const checkAfter = (delayMs: number): void => {
    if (isEnded) return;
    timer = setTimeout(() => void check(), Math.min(Math.max(delayMs, 1), LONGEST_TIMER_MS));
    timer.unref();
  };
  const check = async (): Promise<void> => {
    const state = await readState(endpoint, STATE_DEADLINE_MS);
    if (isEnded || state === 'gone') return;
    if (state === 'blocked' || state.activity !== 'idle' || state.queued > 0) {
      return checkAfter(Math.min(ttlMs, BUSY_DELAY_MS));
    }
    const leftMs = (state.lastUsedAtMs ?? loadedAtMs) + ttlMs - Date.now();
    if (leftMs > 0) checkAfter(leftMs);
    else unload();
  };
  checkAfter(ttlMs);
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}
