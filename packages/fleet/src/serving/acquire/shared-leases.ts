import type { Clock } from '../../clock.js';

/**
 * For how long after its grant a lease takes further requests. Then the other host is asked again, so that it can refuse,
 * and so that a resident which it wants to unload becomes free.
 */
export const SHARE_MS = 1000;

export interface SharedLease {
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Leases that several requests of this gateway share, so that not every request waits for an answer of a host. */
export interface SharedLeases<Lease extends SharedLease> {
  /** A lease that serves one more request; null where there is none. */
  take(serves: (lease: Lease) => boolean): Lease | null;
  /** Lets further requests take a new lease. Returns it for the request that it was given to. */
  share(lease: Lease): Lease;
}

interface Shared<Lease> {
  readonly lease: Lease;
  /** Whether further requests can take it. */
  isOpen: boolean;
  /** Requests that have not released it. */
  requests: number;
  /** Cancels the end of `isOpen`. */
  cancel: () => void;
}

/**
 * A lease is released once the last request has released it and no further request can take it.
 *
 * @param keyOf - the resident of a lease. A newer lease takes the place of an older one
 */
export function createSharedLeases<Lease extends SharedLease>(
  clock: Clock,
  keyOf: (lease: Lease) => string,
): SharedLeases<Lease> {
  const open = new Map<string, Shared<Lease>>();

  const close = (shared: Shared<Lease>): void => {
    shared.cancel();
    shared.isOpen = false;
    const key = keyOf(shared.lease);
    if (open.get(key) === shared) open.delete(key);
    if (shared.requests === 0) void shared.lease.release();
  };

  const use = (shared: Shared<Lease>): Lease => {
    let isReleased = false;
    shared.requests += 1;
    return {
      ...shared.lease,
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        shared.requests -= 1;
        if (shared.requests === 0 && !shared.isOpen) await shared.lease.release();
      },
    };
  };

  return {
    take: (serves) => {
      for (const shared of open.values()) {
        const { lease } = shared;
        if (!lease.lost.aborted && serves(lease)) return use(shared);
      }
      return null;
    },
    share: (lease) => {
      const before = open.get(keyOf(lease));
      if (before !== undefined) close(before);
      const shared: Shared<Lease> = { lease, isOpen: true, requests: 0, cancel: () => undefined };
      open.set(keyOf(lease), shared);
      const used = use(shared);
      shared.cancel = clock.setTimer(SHARE_MS, () => close(shared));
      return used;
    },
  };
}
