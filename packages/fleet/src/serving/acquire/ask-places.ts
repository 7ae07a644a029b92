import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.js';
import { codeOf, messageOf } from '../../error-facts.js';
import { isFleetError } from '../../fleet-error.js';
import {
  KEPT_HOSTS_MAX,
  type PlacementAttempt,
  type PlacementJournal,
} from '../../journal/placed-request.js';
import type { LeaseRefusal } from '../../leases/lease-types.js';
import { placeRequest } from '../../placement/place-request.js';
import type { PlacementInput } from '../../placement/placement-input.js';
import type { Placement, PlacementAlternative } from '../../placement/placement.js';
import type { CallOptions, ServingLease, ServingRequest } from '../serving-port.js';
import type { AskedPlace, OtherAsker } from './ask-other.js';
import { OwnIsLate, type OwnAsker } from './ask-own.js';
import type { AvoidedHosts } from './avoided-hosts.js';
import { nobodyServes } from './nobody-serves.js';
import type { Sends } from './sends.js';

export interface PlacesAskerParts {
  readonly ownHost: string;
  readonly askOwn: OwnAsker;
  readonly askOther: OtherAsker;
  /** Whether another host can serve requests now. */
  readonly isUsable: (host: string) => boolean;
  readonly avoided: AvoidedHosts;
  readonly sends: Sends;
  readonly journal: PlacementJournal;
  readonly clock: Clock;
}

/**
 * Ranks the hosts for a request, and asks them for a lease, the best one first. A refusal or a failure goes to the next one. A
 * lease of this machine that comes late is taken where no other host gives one, and released otherwise.
 *
 * @throws the error of `nobodyServes`; the signal's reason
 */
export type PlacesAsker = (
  request: ServingRequest,
  input: PlacementInput,
  options: CallOptions,
) => Promise<ServingLease>;

/** The answer of one place. */
type Answer =
  | { readonly kind: 'granted'; readonly lease: ServingLease }
  | LeaseRefusal
  | { readonly kind: 'own-failed'; readonly error: unknown }
  | { readonly kind: 'own-late'; readonly error: OwnIsLate }
  | { readonly kind: 'unreachable'; readonly error: unknown };

export function createPlacesAsker(parts: PlacesAskerParts): PlacesAsker {
  const { ownHost, avoided, sends, clock } = parts;

  const inTurn = ({ alternatives }: Placement): readonly PlacementAlternative[] => {
    if (!avoided.has(ownHost)) return alternatives;
    // This machine was late a moment ago, so it is asked after the others.
    const isOwn = ({ host }: PlacementAlternative): number => Number(host === ownHost);
    return alternatives.toSorted((one, other) => isOwn(one) - isOwn(other));
  };

  /** Asks one place. Throws only the signal's reason and bugs. */
  const askPlace = async (
    request: ServingRequest,
    place: AskedPlace,
    options: CallOptions,
  ): Promise<Answer> => {
    const { host } = place.alternative;
    const isOwn = host === ownHost;
    try {
      const answer = await (isOwn ? parts.askOwn : parts.askOther)(request, place, options);
      if ('kind' in answer) {
        avoided.answered(host);
        place.send.end();
        return answer;
      }
      // For another host, the end of the request on the lease tells whether its gateway answers.
      if (isOwn) avoided.answered(host);
      return { kind: 'granted', lease: answer };
    } catch (error) {
      place.send.end();
      options.signal?.throwIfAborted();
      if (error instanceof OwnIsLate) {
        avoided.avoid(host);
        return { kind: 'own-late', error };
      }
      if (isOwn) return { kind: 'own-failed', error };
      if (!isFleetError(error)) throw error;
      avoided.avoid(host);
      return { kind: 'unreachable', error };
    }
  };

  return async (request, input, options) => {
    const id = randomBytes(6).toString('hex');
    const beganMs = clock.monotonicMs();
    const placement = placeRequest(input);
    const places = inTurn(placement);
    const attempts: PlacementAttempt[] = [];
    let failure: unknown = null;
    /** The lease of this machine that did not come in time; null while none is late. */
    let late: Promise<ServingLease> | null = null;
    try {
      for (const [index, alternative] of places.entries()) {
        const { host, modelKey, instanceIdentifier } = alternative;
        // This machine chooses among all of its models, so it is asked once. A host that has not answered, or has become silent
        // meanwhile, would not answer about another model either.
        const isOwnAsked = failure !== null || late !== null;
        if (host === ownHost ? isOwnAsked : avoided.has(host) || !parts.isUsable(host)) continue;
        const startedMs = clock.monotonicMs();
        const send = sends.begin(host, modelKey, instanceIdentifier);
        const hasNext = places
          .slice(index + 1)
          .some((next) => next.host !== host && next.figures !== null);
        const answer = await askPlace(request, { alternative, send, id, input, hasNext }, options);
        attempts.push(attemptOf(alternative, answer, clock.monotonicMs() - startedMs));
        if (answer.kind === 'granted') return answer.lease;
        if (answer.kind === 'own-failed') failure = answer.error;
        if (answer.kind === 'own-late') {
          late = answer.error.lease;
          // The lease may be refused while another host is asked. Without a handler, that would be an unhandled rejection.
          late.catch(() => undefined);
        }
      }
      if (late !== null) {
        try {
          const lease = await late;
          late = null;
          attempts.push(grantedBy(ownHost, lease, clock.monotonicMs() - beganMs));
          return lease;
        } catch (error) {
          options.signal?.throwIfAborted();
          failure = error;
        }
      }
      // This machine is always among the places, so there is a failure.
      throw nobodyServes(failure, placement, attempts, ownHost);
    } finally {
      void late?.then(
        (lease) => lease.release(),
        () => undefined,
      );
      const kept = input.hosts.length <= KEPT_HOSTS_MAX ? input : null;
      parts.journal.record({ id, atMs: clock.nowMs(), input: kept, placement, attempts });
    }
  };
}

function attemptOf(
  { host, modelKey }: PlacementAlternative,
  answer: Answer,
  tookMs: number,
): PlacementAttempt {
  if (answer.kind === 'granted') return grantedBy(host, answer.lease, tookMs);
  const asked = { host, modelKey, tookMs: Math.round(tookMs) };
  if (answer.kind === 'refused') {
    const { reason, message, figures } = answer;
    return { ...asked, outcome: 'refused', reason, message, figures };
  }
  const { kind, error } = answer;
  return {
    ...asked,
    outcome: kind === 'own-failed' ? 'refused' : 'unreachable',
    reason: codeOf(error) ?? 'FAILED',
    message: messageOf(error),
    figures: {},
  };
}

function grantedBy(host: string, { modelKey }: ServingLease, tookMs: number): PlacementAttempt {
  return {
    host,
    modelKey,
    outcome: 'granted',
    reason: null,
    message: null,
    figures: {},
    tookMs: Math.round(tookMs),
  };
}
