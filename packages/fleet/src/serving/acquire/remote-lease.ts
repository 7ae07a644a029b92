import type { HeldLease } from '../../leases/lease-types.js';
import type { PlacementAlternative } from '../../placement/placement.js';
import { nameOfInstance } from '../catalog/instance-names.js';
import type { Send } from './sends.js';
import type { PeerOutcome, PeerTls, ServingLease, ServingPlan } from '../serving-port.js';

/** Header in which a gateway presents its lease to the gateway of another host. */
const LEASE_HEADER = 'x-mai-lease';

/**
 * The lease of another host as the gateway of this machine takes it.
 *
 * @param ended - called with how the request on the lease has ended
 */
export function leaseOn(
  lease: HeldLease,
  address: string,
  placementId: string,
  send: Send,
  tls: PeerTls,
  ended: (outcome: PeerOutcome) => void,
): ServingLease {
  const { host, resident, token, lost } = lease;
  const { instanceIdentifier } = resident;
  return {
    modelKey: resident.modelKey,
    instanceIdentifier: nameOfInstance({ host, instanceIdentifier }),
    tier: resident.tier,
    capabilities: resident.capabilities,
    contextLengthTokens: resident.contextLengthTokens,
    baseUrl: address,
    requestHeaders: { [LEASE_HEADER]: token },
    decisionId: resident.decisionId,
    peer: { host, instanceIdentifier, tls, ended },
    forOneRequest: true,
    ended: null,
    placementId,
    lost,
    release: () => {
      send.end();
      return lease.release();
    },
  };
}

/** The plan of a request that another host serves. It unloads nothing here and waits for no load of this machine. */
export function planOf({ modelKey }: PlacementAlternative): ServingPlan {
  return {
    decision: 'serve',
    modelKey,
    unloads: [],
    loadBytes: null,
    selection: { decision: 'elsewhere', rejected: [] },
  };
}
