import type { SimulatorClock } from './clock.js';

/** A clock whose timers can all be cancelled at once, when the simulator stops. */
export interface TimerScope extends SimulatorClock {
  cancelAll(): void;
}

export function scopeTimers(clock: SimulatorClock): TimerScope {
  const cancels = new Set<() => void>();
  return {
    now: () => clock.now(),
    schedule(callback, delayMs) {
      const cancelTimer = clock.schedule(() => {
        cancels.delete(cancel);
        callback();
      }, delayMs);
      const cancel = (): void => {
        cancels.delete(cancel);
        cancelTimer();
      };
      cancels.add(cancel);
      return cancel;
    },
    cancelAll() {
      for (const cancel of [...cancels]) cancel();
    },
  };
}
