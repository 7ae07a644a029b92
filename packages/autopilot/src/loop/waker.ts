import { throwIfAborted, type Clock } from '../ports/clock.js';

/** A sleep that can be cut short. */
export interface Waker {
  /** Ends the sleep that is under way, or the next one before it begins. */
  wake(): void;
  /** Whether it was woken. Rejects with the signal's reason when it fires. */
  sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean>;
}

/** One sleeper at a time, under a signal that lives no longer than the waker. */
export function createWaker(): Waker {
  let alarm = new AbortController();
  let watched: AbortSignal | null = null;
  const ring = (): void => {
    alarm.abort();
  };
  return {
    wake: ring,
    sleep: async (clock, ms, signal) => {
      throwIfAborted(signal);
      if (watched !== signal) {
        watched?.removeEventListener('abort', ring);
        signal.addEventListener('abort', ring, { once: true });
        watched = signal;
      }
      const own = alarm.signal;
      try {
        if (!own.aborted) await clock.sleep(ms, { signal: own });
      } catch (error) {
        if (!own.aborted) throw error;
      } finally {
        if (own.aborted) alarm = new AbortController();
      }
      throwIfAborted(signal);
      return own.aborted;
    },
  };
}
