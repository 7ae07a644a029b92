import { pause, type Clock } from './clock.js';
import { unlessAborted } from './unless-aborted.js';
import type { CallOptions, ServingCatalog, ServingChange, ServingPort } from './serving-port.js';

/** A serving port with one subscription for all readers, and with a catalog that is read again only after a change. */
export interface LivePort extends Omit<ServingPort, 'changes'>, AsyncDisposable {
  /** The catalog, where it was read since the last change; otherwise null. */
  known(): ServingCatalog | null;
  /** Calls `listener` with each change. Returns a function that ends this. */
  onChange(listener: (change: ServingChange) => void): () => void;
}

/** Maximum age of a catalog without a change, in milliseconds: changes can be missed while the machine is out of reach. */
const CATALOG_FRESH_MS = 10_000;
/** Pause before the changes are subscribed to again after a failure. */
const RESUBSCRIBE_MS = 1000;

/** Wraps a port. Subscribes at once, and again after each failure until it is disposed of. */
export function createLivePort(port: ServingPort, clock: Clock): LivePort {
  const listeners = new Set<(change: ServingChange) => void>();
  const closed = new AbortController();
  let cached: { readonly atMs: number; readonly reading: Promise<ServingCatalog> } | null = null;
  /** The catalog of the last reading that has ended. It is kept, because each request needs the catalog several times. */
  let known: { readonly entry: object; readonly catalog: ServingCatalog } | null = null;

  const publish = (change: ServingChange): void => {
    if (change.type === 'catalog' || change.type === 'switched') cached = null;
    for (const listener of listeners) listener(change);
  };
  const subscription = followChanges(port, clock, closed.signal, publish);

  const catalog = (options: CallOptions = {}): Promise<ServingCatalog> => {
    const nowMs = clock.monotonicMs();
    if (cached === null || nowMs - cached.atMs > CATALOG_FRESH_MS) {
      const reading = port.catalog({ signal: closed.signal });
      const entry = { atMs: nowMs, reading };
      cached = entry;
      reading.then(
        (read) => {
          known = { entry, catalog: read };
        },
        () => {
          if (cached === entry) cached = null;
        },
      );
    }
    if (known?.entry === cached) return Promise.resolve(known.catalog);
    return unlessAborted(cached.reading, options.signal);
  };

  return {
    catalog,
    known: () =>
      known !== null &&
      known.entry === cached &&
      clock.monotonicMs() - cached.atMs < CATALOG_FRESH_MS
        ? known.catalog
        : null,
    acquire: (request, options) => port.acquire(request, options),
    plan: (request, options) => port.plan(request, options),
    measured: (answer) => port.measured?.(answer),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.asyncDispose]: async () => {
      closed.abort(new DOMException('The gateway has stopped.', 'AbortError'));
      listeners.clear();
      await subscription;
    },
  };
}

async function followChanges(
  port: ServingPort,
  clock: Clock,
  signal: AbortSignal,
  publish: (change: ServingChange) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const change of port.changes({ signal })) publish(change);
    } catch {
      // The machine is out of reach. What has changed meanwhile is not known, so everything is read again.
    }
    if (signal.aborted) return;
    publish({ type: 'catalog' });
    await pause(clock, RESUBSCRIBE_MS, signal);
  }
}
