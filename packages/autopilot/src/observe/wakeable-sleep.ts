import { throwIfAborted, type Clock } from '../ports/clock.js';

/** A sleep that can be ended early. Only one sleep may be under way at a time. */
export interface WakeableSleep {
  /** Ends the sleep that is under way, or the next one before it begins. */
  wake(): void;
  /** Resolves to whether it was woken. Rejects with the signal's reason when the signal fires. */
  sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean>;
}

/** Keeps a listener on the signal of the last sleep, so the signal must not live longer than this object. */
export function createWakeableSleep(): WakeableSleep {
  let woken = new AbortController();
  let watched: AbortSignal | null = null;
  const wake = (): void => {
    woken.abort();
  };
  return {
    wake,
    sleep: async (clock, ms, signal) => {
      throwIfAborted(signal);
      if (watched !== signal) {
        watched?.removeEventListener('abort', wake);
        signal.addEventListener('abort', wake, { once: true });
        watched = signal;
      }
      const own = woken.signal;
      try {
        if (!own.aborted) await clock.sleep(ms, { signal: own });
      } catch (error) {
        if (!own.aborted) throw error;
      } finally {
        if (own.aborted) woken = new AbortController();
      }
      throwIfAborted(signal);
      return own.aborted;
    },
  };
}
