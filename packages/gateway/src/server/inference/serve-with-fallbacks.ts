import type { IncomingHttpHeaders } from 'node:http';
import type { PeerOutcome, ServingLease, ServingRequest } from '../../ports/serving-port.js';
import type {
  Failure,
  Protocol,
  RequestFacts,
  Usage,
  WaitProgress,
} from '../../protocols/protocol.js';
import { replaceModel } from '../../protocols/replace-model.js';
import type { Place } from '../../queue/scheduler.js';
import { forwardedHeaders } from '../../upstream/request-headers.js';
import { isOutOfReach } from '../../upstream/out-of-reach.js';
import { relay, type RelayOutcome } from '../../upstream/relay.js';
import { checkRuntime, runtimeName, type RuntimeName } from '../../upstream/runtime-words.js';
import type { ClientAnswer } from './client-answer.js';
import type { Departure } from './departure.js';
import type { ToldChoice } from './decision-headers.js';
import type { Client, InferenceParts } from './inference-parts.js';
import { createFailure } from '../../protocols/create-failure.js';
import { asSentence } from '../../as-sentence.js';
import { shorten } from '../../shorten.js';

/** A request with its body read and its model resolved. */
export interface AskedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly wanted: ServingRequest;
  readonly client: Client;
  readonly protocol: Protocol;
}

/** The client's side of a request. */
export interface ClientSide {
  readonly answer: ClientAnswer;
  /** Filled in as the choice is made. */
  readonly told: ToldChoice;
  readonly departure: Departure;
}

/** How a request was answered. */
export interface Served {
  /** Null where the runtime's answer was passed on. */
  readonly failure: Failure | null;
  readonly firstByteMs: number | null;
  readonly usage: Usage | null;
  readonly responseId: string | null;
}

/** Longest part of a runtime's message that is passed on in a failure of the gateway. */
const QUOTED_MAX = 300;

/**
 * Waits for a resident and passes its answer on. Where the resident fails before the first event, tries again with
 * another one.
 *
 * @throws SchedulingFailure, or the signal's reason
 */
export async function serveWithFallbacks(
  asked: AskedRequest,
  { answer, told, departure }: ClientSide,
  parts: InferenceParts,
): Promise<Served> {
  const failed: string[] = [];
  for (;;) {
    const place =
      (failed.length === 0 ? parts.scheduler.tryPlace(asked.wanted, asked.client.name) : null) ??
      (await placeFor(asked, failed, { answer, told, departure }, parts));
    const { lease } = place;
    told.modelKey = lease.modelKey;
    told.instanceIdentifier = lease.instanceIdentifier;
    told.host = lease.peer?.host ?? null;
    told.placementId = lease.placementId ?? null;
    told.decisionId = lease.decisionId ?? told.decisionId;
    told.queueMs += place.waitedMs;
    const outcome = await relayThrough(place, asked, { answer, told, departure }, parts);
    const isLast = told.fallbacks >= parts.limits.maxFallbacks;
    if (!isLast && mayFallBack(outcome, lease)) {
      told.fallbacks += 1;
      failed.push(lease.instanceIdentifier);
      continue;
    }
    return conclude(outcome, answer, told, parts.knownCatalog()?.runtime ?? null);
  }
}

function placeFor(
  { facts, wanted, client }: AskedRequest,
  failed: readonly string[],
  { answer, departure }: ClientSide,
  { scheduler, limits }: InferenceParts,
): Promise<Place> {
  const tell = (progress: WaitProgress): void => {
    if (facts.stream && progress.waitedMs >= limits.waitSignAfterMs) answer.wait(progress);
  };
  return scheduler.place({
    wanted: failed.length === 0 ? wanted : { ...wanted, failed: [...wanted.failed, ...failed] },
    client: client.name,
    priority: client.priority,
    deadlineMs: facts.stream ? limits.streamDeadlineMs : limits.answerDeadlineMs,
    again: failed.length > 0,
    signal: departure.signal,
    onWait: tell,
  });
}

/** One attempt. Releases the place. */
async function relayThrough(
  place: Place,
  { headers, path, body, facts, protocol }: AskedRequest,
  { answer, departure }: ClientSide,
  { http, clock, meter }: InferenceParts,
): Promise<RelayOutcome> {
  const { baseUrl, requestHeaders, instanceIdentifier, modelKey } = place.lease;
  const { peer = null, lost } = place.lease;
  const endMeasuring = meter.begin();
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
        // A runtime of this machine may go on without its autopilot. A host that does not renew a lease is out of reach.
        lost: peer === null ? null : lost,
        holdsBodies: peer !== null,
        monotonicMs: () => clock.monotonicMs(),
      },
    );
    return outcome;
  } finally {
    // The speed of another host says nothing about this machine.
    const speed = outcome?.kind === 'done' && peer === null ? outcome.speed : null;
    endMeasuring(speed === null ? null : { modelKey, instanceIdentifier, speed });
    if (outcome !== null) {
      const ended = peerOutcomeOf(outcome);
      peer?.ended?.(ended);
      place.lease.ended?.(ended);
    }
    // A client that has gone says nothing about the resident.
    const isFault =
      outcome !== null && (outcome.kind === 'cut' || mayFallBack(outcome, place.lease));
    place.release(isFault ? 'failed' : 'done');
  }
}

function peerOutcomeOf(outcome: RelayOutcome): PeerOutcome {
  if (outcome.kind === 'done') return 'answered';
  return outcome.kind !== 'refused' && isOutOfReach(outcome.error) ? 'out-of-reach' : 'failed';
}

/** Statuses with which the gateway of another host refuses a request that it does not send to its runtime. */
const REFUSED_BY_PEER: readonly number[] = [401, 403, 404, 409, 429, 503];

function mayFallBack(outcome: RelayOutcome, { peer }: ServingLease): boolean {
  if (outcome.kind === 'unreachable') return true;
  if (outcome.kind !== 'refused') return false;
  return (
    outcome.failure.retriable || (peer != null && REFUSED_BY_PEER.includes(outcome.head.status))
  );
}

/** Ends the client's answer. */
function conclude(
  outcome: RelayOutcome,
  answer: ClientAnswer,
  told: ToldChoice,
  runtime: RuntimeName | null,
): Served {
  if (outcome.kind === 'done') {
    const { firstByteMs, usage, responseId } = outcome;
    return { failure: null, firstByteMs, usage, responseId };
  }
  const failure = failureOf(outcome, told, runtime);
  // A refusal in the runtime's own words, which the client may know. Only a whole body has the length that the headers give.
  const isOwnWord = outcome.kind === 'refused' && outcome.isWhole && failure.code === 'refused';
  if (isOwnWord && !answer.begun) answer.passOn(outcome.head, outcome.body);
  else answer.fail(failure);
  return { failure, firstByteMs: null, usage: null, responseId: null };
}

function failureOf(
  outcome: Exclude<RelayOutcome, { kind: 'done' }>,
  told: ToldChoice,
  runtime: RuntimeName | null,
): Failure {
  const model = told.modelKey ?? 'The model';
  const after = told.fallbacks === 0 ? '' : ` after ${told.fallbacks + 1} attempts`;
  switch (outcome.kind) {
    case 'cut':
      return failed(
        `${model} stopped in the middle of its answer: ${asSentence(outcome.error.message)} Send the request again.`,
      );
    case 'unreachable':
      return {
        ...failed(
          told.host === null
            ? `${runtimeName(runtime)} did not answer${after}: ${asSentence(outcome.error.message)} ${checkRuntime(runtime)}, then send the request again.`
            : `The host ${told.host} did not answer${after}: ${asSentence(outcome.error.message)} Check with "mai fleet status" that it runs, then send the request again.`,
        ),
        code: 'upstream_unreachable',
        status: 503,
        retryAfterSeconds: 5,
      };
    case 'refused': {
      const { status } = outcome.head;
      const { message, retriable } = outcome.failure;
      const quoted = shorten(message, QUOTED_MAX);
      if (status === 401 || status === 403) {
        if (told.host !== null) {
          return failed(
            `The host ${told.host} refused the certificate of this machine${after}. Run "mai fleet status" on both machines.`,
          );
        }
        return failed(
          runtime === 'embedded'
            ? `The embedded engine refused Mai's token. Start "mai serve" again.`
            : `LM Studio refused Mai's token. Set LM_API_TOKEN for "mai serve" to a valid token of LM Studio.`,
        );
      }
      if (retriable)
        return failed(`${model} failed${after}: ${asSentence(quoted)} Send the request again.`);
      if (status >= 400) return createFailure('refused', status, quoted);
      // LM Studio answers an endpoint that it lacks with status 200 and an error.
      return createFailure(
        'not_supported',
        501,
        `${runtimeName(runtime)} does not serve the request: ${asSentence(quoted)} ${runtime === 'embedded' ? 'Use' : 'Update LM Studio, or use'} another endpoint.`,
      );
    }
  }
}

function failed(message: string): Failure {
  return createFailure('upstream_failed', 502, message);
}
