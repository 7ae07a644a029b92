import { throwIfAborted, type Clock } from '../ports/clock.js';

/** A sleep that can be cut short. */
export interface Waker {
  /** Ends the sleep that is under way, or the next one before it begins. */
  wake(): void;
  /** Rejects with the signal's reason when it fires. */
  sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void>;
}

/** One sleeper at a time. */
export function createWaker(): Waker {
  let alarm = new AbortController();
  return {
    wake: () => {
      alarm.abort();
    },
    sleep: async (clock, ms, signal) => {
      throwIfAborted(signal);
      const stop = (): void => {
        alarm.abort();
      };
      signal.addEventListener('abort', stop, { once: true });
      const own = alarm.signal;
      try {
        if (!own.aborted) await clock.sleep(ms, { signal: own });
      } catch (error) {
        if (!own.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', stop);
        if (own.aborted) alarm = new AbortController();
      }
      throwIfAborted(signal);
    },
  };
}
