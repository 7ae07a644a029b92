import { pause, type Clock } from '../../clock.js';
import type { PlacementAlternative } from '../../placement/placement.js';
import { PROMISE_RESERVE_MS, type AskedPlace } from './ask-other.js';
import { locateInstance } from '../catalog/instance-names.js';
import { createSharedLeases } from './shared-leases.js';
import type { CallOptions, ServingLease, ServingPort, ServingRequest } from '../serving-port.js';

export interface OwnAskerParts {
  /** The serving port of this machine. */
  readonly local: ServingPort;
  readonly ownHost: string;
  readonly clock: Clock;
  /** Called with each whole answer of the resident that was chosen, and the time since its lease was given. */
  readonly onAnswered: (alternative: PlacementAlternative, tookMs: number) => void;
}

/** This machine has given no lease in time, although another host is known to serve. Its lease may come later. */
export class OwnIsLate extends Error {
  constructor(
    readonly lease: Promise<ServingLease>,
    waitMs: number,
  ) {
    super(`This machine gave no lease within ${Math.round(waitMs / 1000)} s.`);
  }
}

/**
 * Asks this machine for a lease, or takes one that it has given to a request of the last second.
 *
 * @throws OwnIsLate where it takes longer than twice the expected load and 3 s, and another host is known to serve; as the port does
 */
export type OwnAsker = (
  request: ServingRequest,
  asked: AskedPlace,
  options: CallOptions,
) => Promise<ServingLease>;

export function createOwnAsker({ local, ownHost, clock, onAnswered }: OwnAskerParts): OwnAsker {
  const shared = createSharedLeases<ServingLease>(
    clock,
    ({ instanceIdentifier }) => instanceIdentifier,
  );

  const leaseOf = (lease: ServingLease, { alternative, send, id }: AskedPlace): ServingLease => {
    send.granted(lease.modelKey, lease.instanceIdentifier);
    const takenAtMs = clock.monotonicMs();
    return {
      ...lease,
      forOneRequest: true,
      ended: (outcome) => {
        const isChosen = lease.instanceIdentifier === alternative.instanceIdentifier;
        if (isChosen && outcome === 'answered')
          onAnswered(alternative, clock.monotonicMs() - takenAtMs);
      },
      placementId: id,
      release: () => {
        send.end();
        return lease.release();
      },
      peer: null,
    };
  };

  return async (request, asked, options) => {
    const { instanceIdentifier, figures } = asked.alternative;
    const given = shared.take((lease) => lease.instanceIdentifier === instanceIdentifier);
    if (given !== null) return leaseOf(given, asked);
    const acquiring = local
      .acquire(ownRequest(request, ownHost), options)
      .then((lease) => leaseOf(shared.share(lease), asked));
    if (!asked.hasNext) return acquiring;
    const waitMs = 2 * (figures?.loadMs ?? 0) + PROMISE_RESERVE_MS;
    const settled = new AbortController();
    const late = pause(clock, waitMs, settled.signal).then(() => null);
    const lease = await Promise.race([acquiring, late]).finally(() => settled.abort());
    if (lease === null) throw new OwnIsLate(acquiring, waitMs);
    return lease;
  };
}

/** The request as this machine's own port takes it. */
export function ownRequest(request: ServingRequest, ownHost: string): ServingRequest {
  return {
    ...request,
    failed: request.failed
      .map((name) => locateInstance(name, ownHost))
      .filter(({ host }) => host === ownHost)
      .map(({ instanceIdentifier }) => instanceIdentifier),
  };
}
