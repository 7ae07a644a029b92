import { randomBytes } from 'node:crypto';
import { CAPABILITIES } from '@mai/memory-ledger';
import type { Clock } from '../clock.js';
import { codeOf, messageOf } from '../error-facts.js';
import { FleetError, isFleetError } from '../fleet-error.js';
import {
  KEPT_HOSTS_MAX,
  type PlacementAttempt,
  type PlacementJournal,
} from '../journal/placed-request.js';
import type { LeaseAsker, LeaseRefusal } from '../leases/lease-types.js';
import type { PlacementInput, PlacementPolicy } from '../placement/placement-input.js';
import { placeRequest } from '../placement/place-request.js';
import type { PlacementAlternative } from '../placement/placement.js';
import type { KnownHost } from '../state/known-host.js';
import { createAvoidedHosts } from './avoided-hosts.js';
import { readFleetChanges } from './fleet-changes.js';
import { locateInstance } from './instance-names.js';
import { createCatalogMerge } from './merge-catalogs.js';
import { leaseOn, planOf } from './remote-lease.js';
import { createSends, type Send } from './sends.js';
import type {
  CallOptions,
  PeerTls,
  ServingCatalog,
  ServingLease,
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

/** A host answers within 250 ms, at least with a promise. The rest is for a slow machine and network. */
const FIRST_ANSWER_MS = 4000;
/** Deadline of a lease request, a load included. The gateway cancels earlier where its client's deadline ends. */
const LEASE_DEADLINE_MS = 600_000;

/**
 * The serving port of a fleet. Without another usable host, each call is the call of this machine's own port.
 *
 * `acquire`: the hosts are ranked (`placeRequest`). The best one is asked for a lease: this machine at its own port,
 * another one over NATS. A refusal or a failure goes to the next alternative. Each lease is for one request, so that a
 * burst is spread over the hosts. Where everybody refuses, the error is that of this machine.
 */
export function createFleetServing(parts: FleetServingParts): ServingPort {
  const { local, ownHost, hosts, asker, clock } = parts;
  const sends = createSends(clock, hosts);
  const avoided = createAvoidedHosts(clock);
  const merge = createCatalogMerge(ownHost);
  let lastLocal: ServingCatalog | null = null;

  const others = (): readonly KnownHost[] =>
    hosts().filter(
      ({ kind, usable, state }) =>
        kind === 'mai' && usable && state.host !== ownHost && state.address !== null,
    );
  const merged = (catalog: ServingCatalog, usable: readonly KnownHost[]): ServingCatalog =>
    merge(catalog, usable, parts.policy().chainsThatMayLeave);

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
        promptTokens: request.promptTokens ?? null,
        prefixKey: request.prefixKey ?? null,
      },
      recentSends: sends.list(),
      policy: parts.policy(),
    };
  };

  /** The request as this machine's own port takes it. */
  const ownRequest = (request: ServingRequest): ServingRequest => ({
    ...request,
    failed: request.failed
      .map((name) => locateInstance(name, ownHost))
      .filter(({ host }) => host === ownHost)
      .map(({ instanceIdentifier }) => instanceIdentifier),
  });

  const askOwn = async (
    request: ServingRequest,
    { send, id }: Asked,
    options: CallOptions,
  ): Promise<ServingLease> => {
    const lease = await local.acquire(ownRequest(request), options);
    send.granted(lease.modelKey, lease.instanceIdentifier);
    return {
      ...lease,
      forOneRequest: true,
      placementId: id,
      release: () => {
        send.end();
        return lease.release();
      },
      peer: null,
    };
  };

  const askOther = async (
    request: ServingRequest,
    { alternative, send, id, input }: Asked,
    { signal }: CallOptions,
  ): Promise<ServingLease | LeaseRefusal> => {
    const { host, modelKey, instanceIdentifier, step } = alternative;
    const address = hosts().find(({ state }) => state.host === host)?.state.address ?? null;
    if (address === null) throw notReached(host, `${host} serves no other host any more.`);
    if (instanceIdentifier === null) send.loads();
    const late = new AbortController();
    const cancel = clock.setTimer(FIRST_ANSWER_MS, () =>
      late.abort(notReached(host, `${host} did not answer within ${FIRST_ANSWER_MS / 1000} s.`)),
    );
    const asked = {
      capabilities: input.request.capabilities,
      minContextLengthTokens: request.minContextLengthTokens,
      tiers: request.tiers,
      chain: null,
      modelKey: instanceIdentifier === null || step === 'own-host' ? modelKey : null,
      instanceIdentifier,
      failed: input.request.failed
        .filter((one) => one.host === host)
        .map((one) => one.instanceIdentifier),
      requestId: id,
    };
    const ends = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    const answer = await asker
      .acquire(host, asked, { deadlineMs: LEASE_DEADLINE_MS, signal: ends })
      .finally(cancel);
    if (answer.kind === 'refused') return answer;
    if (answer.kind === 'promised') send.loads();
    const outcome = answer.kind === 'promised' ? await answer.granted() : answer;
    if (outcome.kind === 'refused') return outcome;
    const { lease } = outcome;
    send.granted(lease.resident.modelKey, lease.resident.instanceIdentifier);
    return leaseOn(lease, address, id, send, parts.tlsOf(host));
  };

  const place = async (
    request: ServingRequest,
    input: PlacementInput,
    options: CallOptions,
  ): Promise<ServingLease> => {
    const id = randomBytes(6).toString('hex');
    const placement = placeRequest(input);
    const attempts: PlacementAttempt[] = [];
    let failure: unknown = null;
    try {
      for (const alternative of placement.alternatives) {
        const { host, modelKey, instanceIdentifier } = alternative;
        // This machine chooses among all of its models when it is asked once. A silent host would answer for no other
        // model either.
        if (host === ownHost ? failure !== null : avoided.has(host)) continue;
        const startedMs = clock.monotonicMs();
        const send = sends.begin(host, modelKey, instanceIdentifier);
        const asked: Asked = { alternative, send, id, input };
        const note = (attempt: Omit<PlacementAttempt, 'host' | 'tookMs'>): void => {
          attempts.push({ ...attempt, host, tookMs: Math.round(clock.monotonicMs() - startedMs) });
        };
        try {
          const answer =
            host === ownHost
              ? await askOwn(request, asked, options)
              : await askOther(request, asked, options);
          if ('kind' in answer) {
            const { reason, message, figures } = answer;
            note({ modelKey, outcome: 'refused', reason, message, figures });
          } else {
            const granted = { outcome: 'granted', reason: null, message: null } as const;
            note({ modelKey: answer.modelKey, ...granted, figures: {} });
            return answer;
          }
        } catch (error) {
          send.end();
          options.signal?.throwIfAborted();
          if (host === ownHost) failure = error;
          else if (isFleetError(error)) avoided.avoid(host);
          else throw error;
          const outcome = host === ownHost ? 'refused' : 'unreachable';
          note({ modelKey, outcome, ...describeError(error), figures: {} });
          continue;
        }
        send.end();
      }
      // This machine is always among the alternatives.
      throw failure;
    } finally {
      const kept = input.hosts.length <= KEPT_HOSTS_MAX ? input : null;
      parts.journal.record({ id, atMs: clock.nowMs(), input: kept, placement, attempts });
    }
  };

  return {
    catalog: async (options = {}) => {
      const catalog = await readLocal(options);
      const usable = others();
      return usable.length === 0 ? catalog : merged(catalog, usable);
    },
    acquire: async (request, options = {}) => {
      const input = await inputOf(request, options);
      return input === null
        ? local.acquire(ownRequest(request), options)
        : place(request, input, options);
    },
    plan: async (request, options = {}) => {
      const input = await inputOf(request, options);
      const [best] = input === null ? [] : placeRequest(input).alternatives;
      if (best === undefined || best.host === ownHost) {
        return local.plan(ownRequest(request), options);
      }
      return planOf(best);
    },
    changes: (options = {}) =>
      readFleetChanges({ local, hosts, hostChanges: parts.hostChanges }, options),
  };
}

/** One alternative that is asked. */
interface Asked {
  readonly alternative: PlacementAlternative;
  readonly send: Send;
  readonly id: string;
  readonly input: PlacementInput;
}

function notReached(host: string, message: string): FleetError {
  return new FleetError('FLEET_UNREACHABLE', message, { cause: host });
}

function describeError(error: unknown): { readonly reason: string; readonly message: string } {
  return { reason: codeOf(error) ?? 'FAILED', message: messageOf(error) };
}
