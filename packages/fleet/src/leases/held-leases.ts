import { setMaxListeners } from 'node:events';

import type { Clock } from '../clock.js';
import { FleetError } from '../fleet-error.js';
import { MAX_BATCH, type Outcome, type Renewal } from './lease-codec.js';
import type { HeldLease } from './lease-types.js';

/** The leases that this host holds at others. All leases at one host are renewed with one message. */
export interface HeldLeases {
  /**
   * Keeps a new lease.
   *
   * @param sentAtMs when the request was sent. The lease counts from then, so it ends here before it ends at the host.
   */
  keep(
    host: string,
    ticket: string,
    granted: Extract<Outcome, { kind: 'granted' }>,
    sentAtMs: number,
  ): HeldLease;
  /** Releases everything. */
  stop(): Promise<void>;
}

interface Held {
  readonly host: string;
  readonly ticket: string;
  readonly epoch: string;
  readonly lost: AbortController;
  endsAtMs: number;
  ttlMs: number;
}

/** A lease is renewed after a quarter of its life, so that two renewals in a row may be lost. */
const RENEWALS_PER_LIFE = 4;
const TICK_MS = 250;

export function createHeldLeases(options: {
  readonly clock: Clock;
  readonly renew: (host: string, tickets: readonly string[], timeoutMs: number) => Promise<Renewal>;
  readonly release: (host: string, tickets: readonly string[]) => Promise<void>;
}): HeldLeases {
  const { clock, renew, release } = options;
  const leases = new Map<string, Held>();
  /** Hosts with a renewal on its way. */
  const renewing = new Set<string>();
  let cancelTick: (() => void) | null = null;

  const lose = (lease: Held, why: string): void => {
    if (!leases.delete(lease.ticket)) return;
    lease.lost.abort(new FleetError('LEASE_LOST', `The lease at ${lease.host} has ended: ${why}.`));
  };

  const renewHost = async (host: string, ofHost: readonly Held[]): Promise<void> => {
    renewing.add(host);
    try {
      for (let start = 0; start < ofHost.length; start += MAX_BATCH) {
        const batch = ofHost.slice(start, start + MAX_BATCH);
        const sentAtMs = clock.monotonicMs();
        const shortest = Math.min(...batch.map(({ ttlMs }) => ttlMs));
        const { epoch, ended, ttlMs } = await renew(
          host,
          batch.map(({ ticket }) => ticket),
          shortest / RENEWALS_PER_LIFE,
        );
        for (const lease of batch) {
          if (lease.epoch !== epoch) lose(lease, 'the host was restarted');
          else if (ended.includes(lease.ticket)) lose(lease, 'the host ended it');
          else {
            lease.endsAtMs = sentAtMs + ttlMs;
            lease.ttlMs = ttlMs;
          }
        }
      }
    } catch {
      // The next tick asks again. Without an answer the leases end on time.
    } finally {
      renewing.delete(host);
    }
  };

  const tick = (): void => {
    const nowMs = clock.monotonicMs();
    const byHost = new Map<string, Held[]>();
    for (const lease of leases.values()) {
      if (nowMs >= lease.endsAtMs) {
        lose(lease, 'the host did not answer in time');
        continue;
      }
      byHost.set(lease.host, [...(byHost.get(lease.host) ?? []), lease]);
    }
    for (const [host, ofHost] of byHost) {
      const dueMs = Math.min(
        ...ofHost.map(({ endsAtMs, ttlMs }) => endsAtMs - ttlMs + ttlMs / RENEWALS_PER_LIFE),
      );
      if (nowMs >= dueMs && !renewing.has(host)) void renewHost(host, ofHost);
    }
    cancelTick = leases.size === 0 ? null : clock.setTimer(TICK_MS, tick);
  };

  return {
    keep: (host, ticket, granted, sentAtMs) => {
      const held: Held = {
        host,
        ticket,
        epoch: granted.epoch,
        lost: new AbortController(),
        endsAtMs: sentAtMs + granted.ttlMs,
        ttlMs: granted.ttlMs,
      };
      // Each request that shares the lease adds a listener.
      setMaxListeners(0, held.lost.signal);
      leases.set(ticket, held);
      cancelTick ??= clock.setTimer(TICK_MS, tick);
      return {
        host,
        epoch: granted.epoch,
        token: granted.token,
        resident: granted.resident,
        lost: held.lost.signal,
        release: async () => {
          if (leases.delete(ticket)) await release(host, [ticket]);
        },
      };
    },
    stop: async () => {
      cancelTick?.();
      const ofHosts = new Map<string, string[]>();
      for (const { host, ticket } of leases.values())
        ofHosts.set(host, [...(ofHosts.get(host) ?? []), ticket]);
      leases.clear();
      await Promise.all(
        [...ofHosts].map(([host, tickets]) => release(host, tickets.slice(0, MAX_BATCH))),
      );
    },
  };
}
