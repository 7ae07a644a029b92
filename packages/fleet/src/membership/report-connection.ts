import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import { describeFault } from '../text/describe-hosts.js';

const CHECK_MS = 5000;
/** Checks in a row without a connection after which it is reported: a restart of nats-server takes less. */
const CHECKS = 2;

/**
 * Reports once that NATS cannot be reached for ten seconds, and again after each later connection that is lost. Ends with the signal.
 * Without this report, a machine that serves alone looks like one whose fleet has no other hosts.
 */
export async function reportConnection({
  connection,
  clock,
  signal,
  warn,
}: {
  readonly connection: Pick<FleetConnection, 'connected' | 'fault'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}): Promise<void> {
  let missing = 0;
  for (;;) {
    await pause(clock, CHECK_MS, signal);
    if (signal.aborted) return;
    missing = connection.connected ? 0 : missing + 1;
    if (missing !== CHECKS) continue;
    const { fault } = connection;
    const why = fault === null ? 'no server answers' : describeFault(fault.message);
    warn(
      `The fleet is out of reach, so this machine serves alone until NATS answers. NATS: ${why}`,
    );
  }
}
