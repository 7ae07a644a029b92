import type { Clock } from '../clock.js';
import type { HeldLease } from '../leases/lease-types.js';

/**
 * For how long after its grant a lease takes further requests. Then the other host is asked again, so that it can refuse,
 * and so that a resident which it wants to unload becomes free.
 */
export const SHARE_MS = 1000;

/** Leases that several requests of this gateway share, so that not every request waits for an answer over NATS. */
export interface SharedLeases {
  /** A lease at the host that serves one more request; null where there is none. */
  take(host: string, serves: (lease: HeldLease) => boolean): HeldLease | null;
  /** Lets further requests take a new lease. Returns it for the request that it was given to. */
  share(lease: HeldLease): HeldLease;
}

interface Shared {
  readonly lease: HeldLease;
  /** Whether further requests can take it. */
  isOpen: boolean;
  /** Requests that have not released it. */
  requests: number;
  /** Cancels the end of `isOpen`. */
  cancel: () => void;
}

/** A lease is released once the last request has released it and no further request can take it. */
export function createSharedLeases(clock: Clock): SharedLeases {
  const open = new Map<string, Shared>();

  const close = (shared: Shared): void => {
    shared.cancel();
    shared.isOpen = false;
    const key = keyOf(shared.lease);
    if (open.get(key) === shared) open.delete(key);
    if (shared.requests === 0) void shared.lease.release();
  };

  const use = (shared: Shared): HeldLease => {
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
    take: (host, serves) => {
      for (const shared of open.values()) {
        const { lease } = shared;
        if (lease.host === host && !lease.lost.aborted && serves(lease)) return use(shared);
      }
      return null;
    },
    share: (lease) => {
      const before = open.get(keyOf(lease));
      if (before !== undefined) close(before);
      const shared: Shared = { lease, isOpen: true, requests: 0, cancel: () => undefined };
      open.set(keyOf(lease), shared);
      const used = use(shared);
      shared.cancel = clock.setTimer(SHARE_MS, () => close(shared));
      return used;
    },
  };
}

/** One lease for each resident of a host. */
function keyOf({ host, resident }: HeldLease): string {
  return `${host}/${resident.instanceIdentifier}`;
}
