import type { Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';

/**
 * Tells whether messages arrive when they are sent.
 *
 * After this process was stopped (SIGSTOP, a sleeping machine), old messages still lie in the socket. They count as heard
 * again once a ping that was sent afterwards has been answered, because NATS delivers in order.
 */
export interface StallGuard {
  isLive(): boolean;
  stop(): void;
}

const TICK_MS = 500;
const STALL_MS = 3000;
const ROUND_TRIP_DEADLINE_MS = 5000;

export function createStallGuard(options: {
  readonly clock: Clock;
  readonly connection: Pick<FleetConnection, 'roundTrip'>;
}): StallGuard {
  const { clock, connection } = options;
  const stop = new AbortController();
  let lastTickMs = clock.monotonicMs();
  let stalled = false;
  let cancel = (): void => undefined;

  const check = (): void => {
    const nowMs = clock.monotonicMs();
    const wasStopped = nowMs - lastTickMs > STALL_MS;
    lastTickMs = nowMs;
    if (!wasStopped || stalled) return;
    stalled = true;
    void waitForRoundTrip();
  };
  const waitForRoundTrip = async (): Promise<void> => {
    for (;;) {
      const answered = await connection
        .roundTrip({ deadlineMs: ROUND_TRIP_DEADLINE_MS, signal: stop.signal })
        .catch(() => false);
      if (answered || stop.signal.aborted) break;
      // Without a connection, no old message can arrive.
      await new Promise<void>((resolve) => clock.setTimer(TICK_MS, resolve));
    }
    stalled = false;
  };
  const tick = (): void => {
    cancel = clock.setTimer(TICK_MS, () => {
      check();
      tick();
    });
  };
  tick();

  return {
    isLive: () => {
      check();
      return !stalled;
    },
    stop: () => {
      stop.abort();
      cancel();
    },
  };
}
