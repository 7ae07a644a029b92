import { setMaxListeners } from 'node:events';
import { pause, type Clock } from '../clock.js';
import type { AcquireMessage, Outcome } from './lease-codec.js';
import type {
  FencingToken,
  GrantedLease,
  GrantedResident,
  LeasedResident,
  LeaseGrantPort,
} from './lease-types.js';

/** Maximum number of requests and leases of one asker. */
export const MAX_GRANTS_OF_ASKER = 256;
/** Maximum number of requests and leases of all askers together. */
const MAX_GRANTS = 4096;

/**
 * Requests and leases of other hosts, from the request to its end.
 *
 * The outcome of a request is `promised` until this host's serving port has answered it, then `granted` or `refused`. A request ends
 * `ttlMs` after the asker's last question for its outcome, and a lease `ttlMs` after its last renewal. The end of a promised request
 * cancels it at the port, which stops the load where nobody else needs it. The end of a lease releases its resident. A lease also
 * ends where no request has run on it for a minute, because its resident cannot be unloaded meanwhile.
 */
export interface Grants {
  /** Begins a request, unless it has begun already. Returns a refusal where the host takes no more; null otherwise. */
  begin(asker: string, message: AcquireMessage): Outcome | null;
  /** The outcome of a request. Waits for at most `waitMs`; afterwards the answer is a promise. */
  outcome(asker: string, ticket: string, waitMs: number): Promise<Outcome>;
  /** Extends a lease. Returns false where it has ended. */
  renew(asker: string, ticket: string): boolean;
  end(asker: string, ticket: string): void;
  /** The resident of a token whose lease is in force; null for any other token. */
  find(token: FencingToken, asker: string | undefined): LeasedResident | null;
  /** Fires when the lease of a token ends; null where it is not in force. */
  endOf(token: FencingToken): AbortSignal | null;
  /** A request runs on a lease. Returns what ends it. */
  began(token: FencingToken): () => void;
  list(): readonly GrantedLease[];
  /** Refuses new requests, and those that are promised. Leases go on. */
  drain(): void;
  /** Ends everything and waits until it is released. */
  stop(): Promise<void>;
}

interface Grant {
  readonly asker: string;
  readonly requestId: string;
  /** Cancels the request at the port, and ends the requests that run on the lease. */
  readonly cancel: AbortController;
  /** Settles once the port has answered. Never rejects. */
  settled: Promise<void>;
  outcome: Outcome;
  granted: GrantedResident | null;
  /** Ends the grant once its resident is lost. */
  readonly onLost: () => void;
  token: FencingToken | null;
  /** Requests that run on the lease, and since when there is none. */
  running: number;
  unusedSinceMs: number;
  deadlineAtMs: number;
  endsAtMs: number;
}

const SWEEP_INTERVAL_MS = 250;
/** A gateway sends its request within a second. The rest is for a slow machine and network. */
export const UNUSED_MS = 60_000;

export function createGrants(options: {
  readonly epoch: string;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly port: LeaseGrantPort;
}): Grants {
  const { epoch, clock, ttlMs, port } = options;
  const grants = new Map<string, Grant>();
  const byToken = new Map<FencingToken, Grant>();
  const releasing = new Set<Promise<void>>();
  let counter = 0;
  let stopped = false;
  let draining = false;
  let cancelSweep = (): void => undefined;

  const refuse = (
    reason: string,
    message: string,
    figures: Readonly<Record<string, number>> = {},
  ): Outcome => ({ kind: 'refused', epoch, reason, message, figures });

  const stopping = (): Outcome => refuse('STOPPING', 'The host stops.');

  const release = (granted: GrantedResident): void => {
    const released = granted.release().catch(() => undefined);
    releasing.add(released);
    void released.finally(() => releasing.delete(released));
  };

  const endGrant = (key: string, grant: Grant): void => {
    grants.delete(key);
    if (grant.token !== null) byToken.delete(grant.token);
    grant.cancel.abort(new Error('The request or its lease has ended.'));
    grant.granted?.lost.removeEventListener('abort', grant.onLost);
    if (grant.granted !== null) release(grant.granted);
    grant.granted = null;
  };

  /** Ends requests and leases whose time is over. Runs before every answer, because timers may be late. */
  const sweep = (): void => {
    const nowMs = clock.monotonicMs();
    for (const [key, grant] of grants) {
      if (nowMs >= grant.endsAtMs || isUnused(grant, nowMs)) endGrant(key, grant);
      else if (grant.outcome.kind === 'promised' && nowMs >= grant.deadlineAtMs) {
        grant.outcome = refuse('TIMED_OUT', 'The model was not ready before the deadline.');
        grant.cancel.abort(new Error('The deadline has passed.'));
      }
    }
  };
  const sweepRegularly = (): void => {
    cancelSweep = clock.setTimer(SWEEP_INTERVAL_MS, () => {
      sweep();
      sweepRegularly();
    });
  };
  sweepRegularly();

  /** Asks the port. Keeps its answer unless the request has ended meanwhile. */
  const ask = async (key: string, grant: Grant, message: AcquireMessage): Promise<void> => {
    const { signal } = grant.cancel;
    void port.expectedMs(message.request, { signal }).then(
      (expectedMs) => {
        if (grant.outcome.kind === 'promised')
          grant.outcome = { ...grant.outcome, expectedMs: roundUp(expectedMs) };
      },
      // The request goes on without an expected time. Its outcome comes from `acquire`.
      () => undefined,
    );
    try {
      const granted = await port.acquire(message.request, { signal, asker: grant.asker });
      sweep();
      if (grants.get(key) !== grant || grant.outcome.kind !== 'promised') {
        release(granted);
        return;
      }
      counter += 1;
      const token = `${epoch}-${counter}`;
      grant.granted = granted;
      grant.token = token;
      grant.unusedSinceMs = clock.monotonicMs();
      byToken.set(token, grant);
      grant.endsAtMs = clock.monotonicMs() + ttlMs;
      grant.outcome = { kind: 'granted', epoch, token, ttlMs, resident: granted.resident };
      if (granted.lost.aborted) grant.onLost();
      else granted.lost.addEventListener('abort', grant.onLost, { once: true });
    } catch (error) {
      if (grant.outcome.kind !== 'promised') return;
      const { reason, message: text, figures } = port.refusalOf(error);
      grant.outcome = refuse(reason, text.slice(0, 1000), figures);
    }
  };

  return {
    begin: (asker, message) => {
      sweep();
      const key = keyOf(asker, message.ticket);
      // A repeated message may ask about a lease that was granted before.
      if (stopped || (draining && !grants.has(key))) return stopping();
      if (grants.has(key)) return null;
      const ofAsker = [...grants.values()].filter((one) => one.asker === asker).length;
      if (ofAsker >= MAX_GRANTS_OF_ASKER || grants.size >= MAX_GRANTS)
        return refuse('TOO_MANY_LEASES', 'The host has granted as many leases as it allows.', {
          leasesOfAsker: ofAsker,
          maxLeasesOfAsker: MAX_GRANTS_OF_ASKER,
          leases: grants.size,
          maxLeases: MAX_GRANTS,
        });
      const nowMs = clock.monotonicMs();
      const cancel = new AbortController();
      // Each request that runs on the lease adds a listener. Without this line, Node warns of a leak at the eleventh.
      setMaxListeners(0, cancel.signal);
      const grant: Grant = {
        asker,
        requestId: message.request.requestId,
        cancel,
        settled: Promise.resolve(),
        outcome: { kind: 'promised', epoch, expectedMs: null },
        granted: null,
        onLost: () => endGrant(key, grant),
        token: null,
        running: 0,
        unusedSinceMs: nowMs,
        deadlineAtMs: nowMs + message.deadlineMs,
        endsAtMs: nowMs + ttlMs,
      };
      grants.set(key, grant);
      grant.settled = ask(key, grant, message);
      return null;
    },

    outcome: async (asker, ticket, waitMs) => {
      sweep();
      const grant = grants.get(keyOf(asker, ticket));
      if (stopped) return stopping();
      if (grant === undefined) return refuse('LEASE_ENDED', 'The request or its lease has ended.');
      const waited = new AbortController();
      if (grant.outcome.kind === 'promised') {
        grant.endsAtMs = clock.monotonicMs() + waitMs + ttlMs;
        await Promise.race([grant.settled, pause(clock, waitMs, waited.signal)]);
        waited.abort();
        sweep();
      }
      // The asker counts the life of the lease from the time of this question.
      if (grant.granted !== null) grant.endsAtMs = clock.monotonicMs() + ttlMs;
      return grant.outcome;
    },

    renew: (asker, ticket) => {
      sweep();
      const grant = grants.get(keyOf(asker, ticket));
      if (grant === undefined || grant.granted === null) return false;
      grant.endsAtMs = clock.monotonicMs() + ttlMs;
      return true;
    },

    end: (asker, ticket) => {
      const key = keyOf(asker, ticket);
      const grant = grants.get(key);
      if (grant !== undefined) endGrant(key, grant);
    },

    find: (token, asker) => {
      const grant = byToken.get(token);
      if (grant === undefined || clock.monotonicMs() >= grant.endsAtMs) return null;
      if (asker !== undefined && asker !== grant.asker) return null;
      return grant.granted?.resident ?? null;
    },

    endOf: (token) => byToken.get(token)?.cancel.signal ?? null,
    began: (token) => {
      const grant = byToken.get(token);
      if (grant === undefined) return () => undefined;
      grant.running += 1;
      let isRunning = true;
      return () => {
        if (!isRunning) return;
        isRunning = false;
        grant.running -= 1;
        grant.unusedSinceMs = clock.monotonicMs();
      };
    },
    list: () => {
      const nowMs = clock.monotonicMs();
      return [...byToken.entries()].flatMap(([token, { asker, granted, requestId, endsAtMs }]) =>
        granted === null || nowMs >= endsAtMs
          ? []
          : [
              {
                token,
                asker,
                resident: granted.resident,
                requestId,
                remainingMs: endsAtMs - nowMs,
              },
            ],
      );
    },

    drain: () => {
      draining = true;
      for (const grant of grants.values()) {
        if (grant.outcome.kind !== 'promised') continue;
        grant.outcome = stopping();
        grant.cancel.abort(new Error('The host stops.'));
      }
    },

    stop: async () => {
      stopped = true;
      cancelSweep();
      const pending = [...grants.values()].map(({ settled }) => settled);
      for (const [key, grant] of grants) endGrant(key, grant);
      await Promise.all(pending);
      await Promise.all(releasing);
    },
  };
}

function isUnused({ granted, running, unusedSinceMs }: Grant, nowMs: number): boolean {
  return granted !== null && running === 0 && nowMs - unusedSinceMs >= UNUSED_MS;
}

function keyOf(asker: string, ticket: string): string {
  return `${asker}/${ticket}`;
}

function roundUp(ms: number | null): number | null {
  return ms === null ? null : Math.max(0, Math.ceil(ms));
}
