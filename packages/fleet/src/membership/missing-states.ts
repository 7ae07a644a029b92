import type { Clock } from '../clock.js';
import { isFleetError } from '../fleet-error.js';
import type { FleetConnection } from '../nats/connection.js';
import { askState } from './ask-state.js';
import type { HostTable } from './host-table.js';

const CHECK_INTERVAL_MS = 500;
/** A host writes its state within a second; afterwards the host itself is asked. */
const MISSING_AFTER_MS = 1500;
const AT_ONCE = 4;
const TIMEOUT_MS = 2000;

/** Asks hosts for states that the bucket has not delivered. Returns a function that ends it. */
export function askForMissingStates(options: {
  readonly connection: FleetConnection;
  readonly clock: Clock;
  readonly table: HostTable;
  readonly onRefused: (host: string, reason: string) => void;
}): () => void {
  const { connection, clock, table, onRefused } = options;
  const stop = new AbortController();
  const asked = new Set<string>();
  let cancel = (): void => undefined;

  const ask = async (host: string): Promise<void> => {
    asked.add(host);
    try {
      const decoded = await askState(connection, host, {
        timeoutMs: TIMEOUT_MS,
        signal: stop.signal,
      });
      if (decoded.ok) {
        table.noteDescribed(decoded.value);
      } else onRefused(host, `state: ${decoded.reason}`);
    } catch (error) {
      // A host without an answer is asked again at a later check, as long as it sends heartbeats.
      if (!isFleetError(error) && !stop.signal.aborted) throw error;
    } finally {
      asked.delete(host);
    }
  };
  const check = (): void => {
    cancel = clock.setTimer(CHECK_INTERVAL_MS, () => {
      for (const host of table.missing(MISSING_AFTER_MS)) {
        if (asked.size >= AT_ONCE) break;
        if (!asked.has(host)) void ask(host);
      }
      check();
    });
  };
  check();
  return () => {
    stop.abort();
    cancel();
  };
}
