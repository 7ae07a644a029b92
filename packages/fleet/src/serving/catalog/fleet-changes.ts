import type { KnownHost } from '../../state/known-host.js';
import type { CallOptions, ServingChange, ServingPort } from '../serving-port.js';

/** The sources of the changes. */
export interface FleetChangesParts {
  readonly local: ServingPort;
  readonly hosts: () => readonly KnownHost[];
  readonly hostChanges: (signal: AbortSignal) => AsyncIterable<readonly string[]>;
}

/** The changes of this machine, and one `catalog` for each change of another host that a catalog shows. */
export async function* readFleetChanges(
  { local, hosts, hostChanges }: FleetChangesParts,
  { signal: given }: CallOptions,
): AsyncGenerator<ServingChange> {
  const stop = new AbortController();
  const signal = given === undefined ? stop.signal : AbortSignal.any([given, stop.signal]);
  const waiting: ServingChange[] = [];
  let wake: () => void = () => undefined;
  const faults: unknown[] = [];
  const publish = (change: ServingChange): void => {
    const isRepeated = change.type === 'catalog' && waiting.at(-1)?.type === 'catalog';
    if (!isRepeated) waiting.push(change);
    wake();
  };

  const followLocal = async (): Promise<void> => {
    for await (const change of local.changes({ signal })) publish(change);
  };
  const followHosts = async (): Promise<void> => {
    let shown = shownIn(hosts());
    for await (const _ of hostChanges(signal)) {
      const now = shownIn(hosts());
      if (now !== shown) publish({ type: 'catalog' });
      shown = now;
    }
  };
  let isEnded = false;
  const working = Promise.all([followLocal(), followHosts()])
    .catch((error: unknown) => void faults.push(error))
    .finally(() => {
      isEnded = true;
      wake();
    });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (isEnded) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    if (!signal.aborted && faults.length > 0) throw faults[0];
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop.abort();
    await working;
  }
}

/** A text that changes whenever the catalog changes. It leaves out load and time. */
function shownIn(hosts: readonly KnownHost[]): string {
  return hosts
    .map(({ state, usable }) => `${state.host} ${state.epoch} ${state.revision} ${usable}`)
    .join('\n');
}
