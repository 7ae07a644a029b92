import { pause, type Clock } from '../../clock.js';
import { FleetError, isFleetError } from '../../fleet-error.js';
import type { HeldLease, LeaseAnswer, LeaseAsker, LeaseRefusal } from '../../leases/lease-types.js';
import type { PlacementInput } from '../../placement/placement-input.js';
import type { PlacementAlternative } from '../../placement/placement.js';
import type { KnownHost } from '../../state/known-host.js';
import { leaseOn } from './remote-lease.js';
import type { Send } from './sends.js';
import type {
  CallOptions,
  PeerOutcome,
  PeerTls,
  ServingLease,
  ServingRequest,
} from '../serving-port.js';
import { createSharedLeases } from './shared-leases.js';

/** A host answers within 250 ms, at least with a promise. The rest is for a slow machine and network. */
const FIRST_ANSWER_MS = 2500;
/** Deadline of a lease request, a load included. The gateway cancels earlier where its client's deadline ends. */
const LEASE_DEADLINE_MS = 600_000;
/**
 * Added to the limit for a promise, which is twice the time that the host expects. The reason for a limit: a host without CPU time
 * repeats its promises, although other hosts could serve the requests. Where no other host serves them, there is no limit.
 */
export const PROMISE_RESERVE_MS = 3000;
/** A promised time counts up to this, or up to the time with which the placement had reckoned if that is longer. */
const BELIEVED_MS = 60_000;
const SILENCE_CHECK_MS = 500;

/** One alternative of a placement that is asked. */
export interface AskedPlace {
  readonly alternative: PlacementAlternative;
  readonly send: Send;
  /** Identifies the placement. */
  readonly id: string;
  readonly input: PlacementInput;
  /** Whether a model is known to serve the request at another host, if this one does not. */
  readonly hasNext: boolean;
}

export interface OtherAskerParts {
  readonly hosts: () => readonly KnownHost[];
  readonly asker: LeaseAsker;
  readonly tlsOf: (host: string) => PeerTls;
  readonly clock: Clock;
  /** Called with the end of each request at another host, and the time since the lease was given to it. */
  readonly onEnded: (outcome: PeerOutcome, asked: AskedPlace, tookMs: number) => void;
}

/**
 * Asks another host for a lease, or takes a lease that it has given to a request of the last second.
 *
 * @throws FleetError `FLEET_UNREACHABLE` where the host does not answer; the signal's reason
 */
export type OtherAsker = (
  request: ServingRequest,
  asked: AskedPlace,
  options: CallOptions,
) => Promise<ServingLease | LeaseRefusal>;

export function createOtherAsker(parts: OtherAskerParts): OtherAsker {
  const { hosts, asker, tlsOf, clock, onEnded } = parts;
  const shared = createSharedLeases<HeldLease>(
    clock,
    ({ host, resident }) => `${host}/${resident.instanceIdentifier}`,
  );
  /** The first answers for residents that are being asked for. The requests of a burst wait for one of them and share its lease. */
  const asking = new Map<string, Promise<LeaseAnswer>>();
  const isSilent = (host: string): boolean =>
    !hosts().some(({ state, usable }) => state.host === host && usable);

  return async (request, place, { signal }) => {
    const { alternative, send, id, input, hasNext } = place;
    const { host, modelKey, instanceIdentifier, step, figures } = alternative;
    const state = hosts().find((one) => one.state.host === host)?.state;
    const address = state?.address ?? null;
    if (state === undefined || address === null) {
      throw notReached(host, `${host} serves no other host any more.`);
    }
    /** A new lease, unless the host has given another resident than it was asked for. */
    const takeNew = (lease: HeldLease): ServingLease | LeaseRefusal => {
      if (meets(lease, alternative, input)) return take(shared.share(lease));
      void lease.release();
      return wrongResident(lease);
    };
    const take = (lease: HeldLease): ServingLease => {
      send.granted(lease.resident.modelKey, lease.resident.instanceIdentifier);
      const takenAtMs = clock.monotonicMs();
      return leaseOn(lease, address, id, send, tlsOf(host), (outcome) =>
        onEnded(outcome, place, clock.monotonicMs() - takenAtMs),
      );
    };
    const given = (): HeldLease | null =>
      shared.take(
        (lease) =>
          lease.host === host && lease.epoch === state.epoch && meets(lease, alternative, input),
      );
    const resident = instanceIdentifier === null ? null : `${host}/${instanceIdentifier}`;
    const earlier = resident === null ? undefined : asking.get(resident);
    if (earlier !== undefined) {
      await earlier.catch((error: unknown) => {
        // Otherwise the client of the earlier request has cancelled it.
        if (isFleetError(error)) throw error;
      });
      signal?.throwIfAborted();
    }
    const lease = given();
    if (lease !== null) return take(lease);
    if (resident === null) send.loads();
    const late = new AbortController();
    const cancel = clock.setTimer(FIRST_ANSWER_MS, () =>
      late.abort(notReached(host, `${host} did not answer within ${FIRST_ANSWER_MS / 1000} s.`)),
    );
    const asked = {
      capabilities: input.request.capabilities,
      minContextLengthTokens: request.minContextLengthTokens,
      preferredContextLengthTokens: request.preferredContextLengthTokens,
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
    const answering = asker
      .acquire(host, asked, { deadlineMs: LEASE_DEADLINE_MS, signal: ends })
      .finally(() => {
        cancel();
        if (resident !== null) asking.delete(resident);
      });
    if (resident !== null) asking.set(resident, answering);
    // The requests that wait for this answer go on after this one, which shares the lease.
    const answer = await answering;
    if (answer.kind === 'refused') return answer;
    if (answer.kind === 'granted') return takeNew(answer.lease);
    send.loads();
    const placedMs = (figures?.queueMs ?? 0) + (figures?.loadMs ?? 0);
    const promisedMs =
      answer.expectedMs ?? (instanceIdentifier === null ? (figures?.loadMs ?? 0) : 0);
    const expectedMs = Math.min(promisedMs, Math.max(placedMs, BELIEVED_MS));
    const outcome = await keptPromise(answer, {
      host,
      clock,
      isSilent: () => isSilent(host),
      waitMs: hasNext ? 2 * expectedMs + PROMISE_RESERVE_MS : Infinity,
    });
    return outcome.kind === 'refused' ? outcome : takeNew(outcome.lease);
  };
}

/**
 * Waits for the lease that a host has promised. Throws where the host does not give it within `waitMs`, or sends no more
 * heartbeats: its answer would not arrive either.
 */
async function keptPromise(
  answer: Promised,
  { host, clock, waitMs, isSilent }: PromiseLimits,
): ReturnType<Promised['granted']> {
  const granting = answer.granted();
  const waited = new AbortController();
  const untilMs = clock.monotonicMs() + waitMs;
  const givesUp = async (): Promise<string | null> => {
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      await pause(clock, Math.min(leftMs, SILENCE_CHECK_MS), waited.signal);
      if (waited.signal.aborted) return null;
      if (isSilent()) return 'no longer sends heartbeats';
      if (clock.monotonicMs() >= untilMs)
        return `did not give it within ${Math.round(waitMs / 1000)} s`;
    }
  };
  const outcome = await Promise.race([granting, givesUp()]).finally(() => waited.abort());
  if (outcome !== null && typeof outcome !== 'string') return outcome;
  void answer.cancel();
  // A lease that comes all the same would be renewed without end.
  void granting.then(
    (given) => (given.kind === 'granted' ? given.lease.release() : undefined),
    () => undefined,
  );
  throw notReached(host, `${host} promised a lease, and ${outcome}.`);
}

interface PromiseLimits {
  readonly host: string;
  readonly clock: Clock;
  readonly waitMs: number;
  /** Whether nothing was heard from the host for too long. */
  readonly isSilent: () => boolean;
}

type Promised = Extract<LeaseAnswer, { readonly kind: 'promised' }>;

/** Whether the resident of a lease is the one that was chosen, and meets the request. */
function meets(
  { host, resident }: HeldLease,
  { modelKey, instanceIdentifier }: PlacementAlternative,
  { request }: PlacementInput,
): boolean {
  const { capabilities, tiers, minContextLengthTokens, failed } = request;
  const isChosen =
    instanceIdentifier === null
      ? resident.modelKey === modelKey
      : resident.instanceIdentifier === instanceIdentifier;
  return (
    isChosen &&
    capabilities.every((one) => resident.capabilities.includes(one)) &&
    (tiers === null || tiers.includes(resident.tier)) &&
    (minContextLengthTokens === null ||
      (resident.contextLengthTokens ?? 0) >= minContextLengthTokens) &&
    !failed.some(
      (one) => one.host === host && one.instanceIdentifier === resident.instanceIdentifier,
    )
  );
}

function wrongResident({ resident }: HeldLease): LeaseRefusal {
  return {
    kind: 'refused',
    reason: 'WRONG_RESIDENT',
    message: `It gave a lease on ${resident.instanceIdentifier}, which does not meet the request.`,
    figures: {},
  };
}

function notReached(host: string, message: string): FleetError {
  return new FleetError('FLEET_UNREACHABLE', message, { cause: host });
}
