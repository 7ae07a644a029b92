import { pause, type Clock } from '../clock.js';
import type { Members } from '../membership/members.js';
import { DEFAULT_PLACEMENT_POLICY, type PlacementPolicy } from '../placement/placement-input.js';
import { hostAndPort } from '../pairing/names.js';
import type { GuestLimits } from '../serving/grant-port.js';
import { guestsAt, stateOfDevice, type OwnFacts } from './own-facts.js';
import { followOwnAddress } from './own-address.js';
import { loadOfGateways, type GatewayLoad } from './own-load.js';

const LOAD_INTERVAL_MS = 1000;

/** The facts of this machine: published for the other hosts, and used for its own decisions. */
export interface OwnTeller {
  /** The newest facts. */
  note(facts: OwnFacts): void;
  /**
   * Tells the URL of this machine's gateway, and from now on its load, until the signal fires. Of a port, the URL has the address of
   * this machine, and is told again with each change of it.
   */
  announce(gateway: string | number, load: () => readonly GatewayLoad[]): void;
  /** Publishes at once that this machine takes no new requests. Its load is published as before. */
  drain(): void;
  /** The policy of placements by this machine's configuration. */
  policy(): PlacementPolicy;
  /** The bytes that guests may take now. */
  guestLimits(): GuestLimits;
  /** Expected milliseconds of a load; null where it is not known. */
  loadMsOf(modelKey: string): number | null;
  /** Resolves after the signal has fired. */
  ended(): Promise<void>;
}

export function createOwnTeller({
  members,
  ownHost,
  version,
  servers,
  clock,
  signal,
}: {
  readonly members: Members;
  readonly ownHost: string;
  /** Version of Mai. */
  readonly version: string;
  /** Addresses of the fleet's nats-servers, as they are now. */
  readonly servers: () => readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): OwnTeller {
  let facts: OwnFacts | null = null;
  let address: string | null = null;
  let readLoad: (() => readonly GatewayLoad[]) | null = null;
  let beating: Promise<void> = Promise.resolve();
  let draining = false;

  const now = (): Date => new Date(clock.nowMs());

  const publish = (): void => {
    if (facts === null) return;
    const { versions, pools, models, chains, fleet, linkDevices } = facts;
    members.publish({
      address,
      versions: { mai: version, ...versions },
      labels: fleet.labels,
      pools,
      models,
      chains,
      guests: guestsAt(fleet, now()),
    });
    members.setLinkDevices(linkDevices.map(stateOfDevice));
  };

  const beatOnce = (): void =>
    members.beat({
      ...loadOfGateways(readLoad?.() ?? [], ownHost),
      pressureRatio: facts?.pressureRatio ?? null,
      ready: !draining,
    });
  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      beatOnce();
      await pause(clock, LOAD_INTERVAL_MS, signal);
    }
  };

  const tell = (at: string, load: () => readonly GatewayLoad[]): void => {
    const isFirst = readLoad === null;
    address = at;
    readLoad = load;
    publish();
    if (isFirst) beating = beat();
  };

  return {
    note: (read) => {
      facts = read;
      publish();
    },
    announce: (gateway, load) => {
      if (typeof gateway === 'string') {
        tell(gateway, load);
        return;
      }
      void followOwnAddress({
        targets: servers,
        clock,
        signal,
        onAddress: (at) => tell(`https://${hostAndPort(at, gateway)}`, load),
      });
    },
    drain: () => {
      draining = true;
      if (readLoad !== null) beatOnce();
    },
    policy: () => {
      if (facts === null) return DEFAULT_PLACEMENT_POLICY;
      const { chains, requiredLabels, minTokensPerSecond } = facts.fleet;
      return {
        ...DEFAULT_PLACEMENT_POLICY,
        chainsThatMayLeave: chains,
        labels: requiredLabels,
        minTokensPerSecond,
      };
    },
    guestLimits: () => {
      const guests = facts === null ? null : guestsAt(facts.fleet, now());
      if (facts === null || guests === null) return { allowedBytes: null };
      const limitBytes = facts.pools.reduce((sum, pool) => sum + pool.limitBytes, 0);
      return { allowedBytes: Math.floor(limitBytes * guests.memoryRatio) };
    },
    loadMsOf: (modelKey) =>
      facts?.models.find((one) => one.modelKey === modelKey)?.speed?.loadMs?.expected ?? null,
    // Not `followOwnAddress`: it may wait for a name server, and tells nothing any more.
    ended: () => beating,
  };
}
