import { CAPABILITIES } from '@mai/memory-ledger';
import type { Clock } from '../clock.js';
import type { PlacementJournal } from '../journal/placed-request.js';
import type { LeaseAsker } from '../leases/lease-types.js';
import type { PlacementInput, PlacementPolicy } from '../placement/placement-input.js';
import { placeRequest } from '../placement/place-request.js';
import type { KnownHost } from '../state/known-host.js';
import { createOtherAsker } from './acquire/ask-other.js';
import { createOwnAsker, ownRequest } from './acquire/ask-own.js';
import { createPlacesAsker } from './acquire/ask-places.js';
import { createAvoidedHosts } from './acquire/avoided-hosts.js';
import { readFleetChanges } from './catalog/fleet-changes.js';
import { locateInstance } from './catalog/instance-names.js';
import { createCatalogMerge } from './catalog/merge-catalogs.js';
import { leftOutServes } from './acquire/nobody-serves.js';
import { planOf } from './acquire/remote-lease.js';
import { createSeenTimes } from './seen-times.js';
import { createSends } from './acquire/sends.js';
import type {
  CallOptions,
  PeerTls,
  ServingCatalog,
  ServingPort,
  ServingRequest,
} from './serving-port.js';

/** The parts of a fleet that its serving port needs. */
export interface FleetServingParts {
  /** The serving port of this machine. */
  readonly local: ServingPort;
  readonly ownHost: string;
  /** The hosts as this machine knows them, itself included. */
  readonly hosts: () => readonly KnownHost[];
  /** Names of the hosts that have changed since the last turn. */
  readonly hostChanges: (signal: AbortSignal) => AsyncIterable<readonly string[]>;
  readonly asker: LeaseAsker;
  readonly policy: () => PlacementPolicy;
  /** How this machine connects to the gateway of a host. */
  readonly tlsOf: (host: string) => PeerTls;
  readonly journal: PlacementJournal;
  readonly clock: Clock;
}

/**
 * The serving port of a fleet. Without another usable host, each call is the call of this machine's own port.
 *
 * `acquire`: the hosts are ranked, and asked in turn for a lease (`PlacesAsker`): this machine at its own port, another one over
 * NATS. Each request is placed anew, so that a burst is spread over the hosts; requests for the same resident within a second
 * share one lease, also one of this machine. Where everybody refuses, the error is that of this machine, or `NO_HOST_SERVES` where
 * only others have the model.
 */
export function createFleetServing(parts: FleetServingParts): ServingPort {
  const { local, ownHost, hosts, clock } = parts;
  const sends = createSends(clock, hosts);
  const avoided = createAvoidedHosts(clock);
  const seen = createSeenTimes();
  const askOther = createOtherAsker({
    ...parts,
    onEnded: (outcome, { alternative }, tookMs) => {
      const { host } = alternative;
      if (outcome === 'out-of-reach') avoided.avoid(host);
      else avoided.answered(host);
      if (outcome === 'answered') seen.note(alternative, tookMs);
    },
  });
  const askOwn = createOwnAsker({
    local,
    ownHost,
    clock,
    onAnswered: (alternative, tookMs) => seen.note(alternative, tookMs),
  });
  const merge = createCatalogMerge(ownHost);
  let lastLocal: ServingCatalog | null = null;

  const others = (): readonly KnownHost[] =>
    hosts().filter(
      ({ kind, usable, state }) =>
        kind === 'mai' && usable && state.host !== ownHost && state.address !== null,
    );
  const isUsable = (host: string): boolean => others().some(({ state }) => state.host === host);
  const merged = (catalog: ServingCatalog, usable: readonly KnownHost[]): ServingCatalog =>
    merge(catalog, usable, parts.policy().chainsThatMayLeave);

  const askPlaces = createPlacesAsker({ ...parts, askOwn, askOther, isUsable, avoided, sends });

  const readLocal = async (options: CallOptions): Promise<ServingCatalog> => {
    lastLocal = await local.catalog(options);
    return lastLocal;
  };

  /** Null where only this machine may serve the request. */
  const inputOf = async (
    request: ServingRequest,
    options: CallOptions,
  ): Promise<PlacementInput | null> => {
    const usable = others().filter(({ state }) => !avoided.has(state.host));
    if (usable.length === 0) return null;
    const named =
      request.instanceIdentifier === null
        ? null
        : locateInstance(request.instanceIdentifier, ownHost);
    // A request for a resident of this machine stays here.
    if (named !== null && named.host === ownHost) return null;
    const { chains } = merged(lastLocal ?? (await readLocal(options)), usable);
    const isNamed = request.modelKey !== null || named !== null;
    const chain = isNamed ? null : (request.chain ?? 'default');
    const isAllowed = ({ state }: KnownHost): boolean =>
      state.host === ownHost ||
      (!avoided.has(state.host) && (named === null || named.host === state.host));
    return {
      // Devices of LM Link have no gateway that could be asked.
      hosts: hosts().filter((one) => one.kind === 'mai' && isAllowed(one)),
      ownHost,
      request: {
        capabilities: CAPABILITIES.filter((one) => request.capabilities.includes(one)),
        minContextLengthTokens: request.minContextLengthTokens,
        tiers: request.tiers,
        chain,
        modelKeys:
          request.modelKey !== null
            ? [request.modelKey]
            : chain === null
              ? null
              : (chains[chain] ?? []),
        instanceIdentifier: named?.instanceIdentifier ?? null,
        failed: request.failed.map((name) => locateInstance(name, ownHost)),
        promptTokens: request.promptTokens,
        prefixKey: request.prefixKey,
      },
      recentSends: sends.list(),
      seenTimes: seen.list(),
      policy: parts.policy(),
    };
  };

  return {
    catalog: async (options = {}) => {
      const catalog = await readLocal(options);
      const usable = others();
      return usable.length === 0 ? catalog : merged(catalog, usable);
    },
    acquire: async (request, options = {}) => {
      const input = await inputOf(request, options);
      try {
        return await (input === null
          ? local.acquire(ownRequest(request, ownHost), options)
          : askPlaces(request, input, options));
      } catch (error) {
        const leftOut = others().filter(({ state }) => avoided.has(state.host));
        throw leftOutServes(error, request, leftOut, ownHost);
      }
    },
    plan: async (request, options = {}) => {
      const input = await inputOf(request, options);
      const [best] = input === null ? [] : placeRequest(input).alternatives;
      if (best === undefined || best.host === ownHost) {
        return local.plan(ownRequest(request, ownHost), options);
      }
      return planOf(best);
    },
    changes: (options = {}) =>
      readFleetChanges({ local, hosts, hostChanges: parts.hostChanges }, options),
  };
}
