import { pause, type Clock } from '../clock.js';
import { messageOf } from '../error-facts.js';
import type { OwnFacts, OwnFactsPort } from './own-facts.js';
import type { ServingPort } from '../serving/serving-port.js';

const FACTS_FRESH_MS = 10_000;
const FACTS_PAUSE_MS = 1000;

/** Reads the facts of this machine: after each change, at most once a second, and every ten seconds. Ends with the signal. */
export async function followFacts({
  local,
  port,
  clock,
  signal,
  onFacts,
  warn,
}: {
  readonly local: ServingPort;
  readonly port: OwnFactsPort;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFacts: (facts: OwnFacts) => void;
  readonly warn: (message: string) => void;
}): Promise<void> {
  let wake = new AbortController();
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const change of local.changes({ signal })) {
          if (change.type === 'catalog' || change.type === 'switched') wake.abort();
        }
      } catch {
        // The machine is out of reach. Its facts are read again at intervals.
      }
      await pause(clock, FACTS_PAUSE_MS, signal);
    }
  };
  const watching = watch();
  while (!signal.aborted) {
    wake = new AbortController();
    try {
      onFacts(await port.fleetFacts({ signal }));
    } catch (error) {
      if (!signal.aborted)
        warn(
          `This machine could not read its own state, so the other hosts see the last one. The cause: ${messageOf(error)}`,
        );
    }
    await pause(clock, FACTS_PAUSE_MS, signal);
    await pause(clock, FACTS_FRESH_MS, AbortSignal.any([signal, wake.signal]));
  }
  await watching;
}
