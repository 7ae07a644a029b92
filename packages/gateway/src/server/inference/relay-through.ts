import type { IncomingHttpHeaders } from 'node:http';
import { baseKeyOf } from '@mai/memory-ledger';
import type {
  PeerOutcome,
  ServingCatalog,
  ServingLease,
  ServingRequest,
} from '../../ports/serving-port.js';
import type { Protocol, RequestFacts } from '../../protocols/protocol.js';
import { replaceModel } from '../../protocols/replace-model.js';
import type { Place } from '../../queue/scheduler.js';
import { isOutOfReach } from '../../upstream/out-of-reach.js';
import { relay, type RelayOutcome } from '../../upstream/relay.js';
import { forwardedHeaders } from '../../upstream/request-headers.js';
import type { ClientAnswer } from './client-answer.js';
import type { ReportedChoice } from './decision-headers.js';
import type { Departure } from './departure.js';
import type { Client, InferenceParts } from './inference-parts.js';
import { signWhileSilent } from './sign-while-silent.js';

/** A request with its body read and its model resolved. */
export interface AskedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  /** The models of the machine when the request arrived. */
  readonly catalog: ServingCatalog;
  readonly wanted: ServingRequest;
  /** The requests that are tried in order where nothing fits. */
  readonly alternatives: readonly ServingRequest[];
  /** The longest context that the models allow; null where the request sets no condition on the context. */
  readonly longest: number | null;
  readonly client: Client;
  readonly protocol: Protocol;
}

/** The client's side of a request. */
export interface ClientSide {
  readonly answer: ClientAnswer;
  /** Filled in as the choice is made. */
  readonly reported: ReportedChoice;
  readonly departure: Departure;
}

/** Sends a request to the resident of its place, and passes the answer on. Releases the place. */
export async function relayThrough(
  place: Place,
  { headers, path, body, facts, catalog, protocol }: AskedRequest,
  { answer, reported, departure }: ClientSide,
  { http, clock, meter, limits }: InferenceParts,
): Promise<RelayOutcome> {
  const { baseUrl, requestHeaders, instanceIdentifier, modelKey } = place.lease;
  const { peer, lost } = place.lease;
  const endMeasuring = meter.begin();
  const endSigns = facts.stream ? signWhileSilent({ answer, reported }, { clock, limits }) : null;
  let outcome: RelayOutcome | null = null;
  try {
    outcome = await relay(
      http,
      {
        origin: baseUrl,
        path,
        method: 'POST',
        headers: forwardedHeaders(headers, requestHeaders),
        body: replaceModel(
          body,
          peer?.instanceIdentifier ?? instanceIdentifier,
          facts.model !== null,
        ),
        tls: peer?.tls,
      },
      {
        protocol,
        sink: answer,
        client: departure,
        // The loss of a lease ends a request only on another host: a lease that is not renewed means that the host is out of reach. The
        // runtime of this machine can finish an answer without its autopilot.
        lost: peer === null ? null : lost,
        holdsBodies: peer !== null,
        maxOutputTokens: facts.maxOutputTokens,
        // The gateway of another host looks at the answers of its own runtime.
        isOther: peer === null ? (name) => isOfOther(name, place.lease, catalog) : null,
        monotonicMs: () => clock.monotonicMs(),
      },
    );
    return outcome;
  } finally {
    endSigns?.();
    // The speed of another host says nothing about this machine.
    const speed = outcome?.kind === 'done' && peer === null ? outcome.speed : null;
    endMeasuring(speed === null ? null : { modelKey, instanceIdentifier, speed });
    if (outcome !== null) {
      const ended = peerOutcomeOf(outcome);
      peer?.ended(ended);
      place.lease.ended?.(ended);
    }
    // A client that has gone says nothing about the resident.
    const isFault =
      outcome !== null && (outcome.kind === 'cut' || mayFallBack(outcome, place.lease));
    place.release(isFault ? 'failed' : 'done');
  }
}

/**
 * Whether a name is that of a resident of another model. A person may have loaded it a moment ago: LM Studio then names it by its model
 * key, and further copies `key:2`. An unknown name says nothing, because a runtime may have other names for a model.
 */
function isOfOther(
  name: string,
  { instanceIdentifier, modelKey }: ServingLease,
  { models }: ServingCatalog,
): boolean {
  if (name === instanceIdentifier) return false;
  const key = name.replace(/:\d+$/, '');
  const named =
    models.find(({ residents }) => residents.some((one) => one.instanceIdentifier === name)) ??
    models.find((one) => one.modelKey === key);
  // Quantizations of one model have names of their own.
  return named !== undefined && baseKeyOf(named.modelKey) !== baseKeyOf(modelKey);
}

function peerOutcomeOf(outcome: RelayOutcome): PeerOutcome {
  if (outcome.kind === 'done') return 'answered';
  return outcome.kind !== 'refused' && isOutOfReach(outcome.error) ? 'out-of-reach' : 'failed';
}

/** Statuses with which the gateway of another host refuses a request that it does not send to its runtime. */
const REFUSED_BY_PEER: readonly number[] = [401, 403, 404, 409, 429, 503];

/** Whether another resident may serve a request after this outcome. */
export function mayFallBack(outcome: RelayOutcome, { peer }: ServingLease): boolean {
  if (outcome.kind === 'unreachable') return true;
  if (outcome.kind !== 'refused') return false;
  return (
    outcome.failure.retriable || (peer != null && REFUSED_BY_PEER.includes(outcome.head.status))
  );
}
