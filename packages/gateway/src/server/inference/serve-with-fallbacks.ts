import type { IncomingHttpHeaders } from 'node:http';
import type { PeerOutcome, ServingLease, ServingRequest } from '../../ports/serving-port.js';
import type {
  Failure,
  Protocol,
  ProtocolName,
  RequestFacts,
  Usage,
  WaitProgress,
} from '../../protocols/protocol.js';
import { contextCondition, contextForCounted } from '../../models/required-context.js';
import { replaceModel } from '../../protocols/replace-model.js';
import { SchedulingFailure, type Place, type PromptTokens } from '../../queue/scheduler.js';
import { forwardedHeaders } from '../../upstream/request-headers.js';
import { isOutOfReach } from '../../upstream/out-of-reach.js';
import { relay, type RelayOutcome } from '../../upstream/relay.js';
import type { RuntimeName } from '../../upstream/runtime-words.js';
import type { ClientAnswer } from './client-answer.js';
import type { Departure } from './departure.js';
import { lastDecisionHeader, type ReportedChoice } from './decision-headers.js';
import type { Client, InferenceParts } from './inference-parts.js';
import { signWhileSilent } from './sign-while-silent.js';
import { failureOf } from './failure-of-outcome.js';

/** A request with its body read and its model resolved. */
export interface AskedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
  readonly facts: RequestFacts;
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

/** How a request was answered. */
export interface Served {
  /** Null where the runtime's answer was passed on. */
  readonly failure: Failure | null;
  readonly firstByteMs: number | null;
  readonly usage: Usage | null;
  readonly responseId: string | null;
}

/**
 * Waits for a resident and passes its answer on. Where the resident fails before the first event, tries again with
 * another one. Where it refuses the prompt as too long, tries once with a context that holds it.
 *
 * @throws SchedulingFailure, or the signal's reason
 */
export async function serveWithFallbacks(
  request: AskedRequest,
  { answer, reported, departure }: ClientSide,
  parts: InferenceParts,
): Promise<Served> {
  const failed: string[] = [];
  let asked = request;
  let refusal: RelayOutcome | null = null;
  const { name } = asked.protocol;
  const concludeWith = (outcome: RelayOutcome): Served =>
    conclude(outcome, { answer, reported }, name, parts.knownCatalog()?.runtime ?? null);
  for (;;) {
    let place: Place;
    try {
      place =
        (failed.length === 0
          ? parts.scheduler.tryPlace({
              wanted: asked.wanted,
              promptTokens: promptTokensOf(asked, parts),
              client: asked.client.name,
            })
          : null) ?? (await placeFor(asked, failed, { answer, reported, departure }, parts));
    } catch (error) {
      // Answer with the resident's own refusal: it says more than a failure to find room for a longer context.
      if (refusal === null || !(error instanceof SchedulingFailure)) throw error;
      return concludeWith(refusal);
    }
    const { lease } = place;
    reported.modelKey = lease.modelKey;
    reported.instanceIdentifier = lease.instanceIdentifier;
    reported.host = lease.peer?.host ?? null;
    reported.placementId = lease.placementId;
    reported.decisionId = lease.decisionId ?? reported.decisionId;
    reported.queueMs += place.waitedMs;
    // Whether another host has LM Studio is not known.
    reported.toolsDescribed =
      lease.peer === null &&
      asked.facts.capabilities.includes('tools') &&
      !lease.capabilities.includes('tools') &&
      parts.knownCatalog()?.runtime === 'embedded';
    const outcome = await relayThrough(place, asked, { answer, reported, departure }, parts);
    const isLast = reported.fallbacks >= parts.limits.maxFallbacks;
    if (!isLast && mayFallBack(outcome, lease)) {
      reported.fallbacks += 1;
      failed.push(lease.instanceIdentifier);
      continue;
    }
    const longer =
      refusal === null && !isLast ? withLongerContext(asked, outcome, lease, parts) : null;
    if (longer !== null) {
      reported.fallbacks += 1;
      refusal = outcome;
      asked = longer;
      continue;
    }
    return concludeWith(outcome);
  }
}

/**
 * The request with a context that holds its prompt, where a resident has counted the prompt and refused it: the size was
 * estimated from bytes. Null for other outcomes, and where no longer context helps.
 */
function withLongerContext(
  asked: AskedRequest,
  outcome: RelayOutcome,
  { modelKey, contextLengthTokens }: ServingLease,
  parts: InferenceParts,
): AskedRequest | null {
  const { facts, wanted, longest } = asked;
  const promptTokens = outcome.kind === 'refused' ? outcome.failure.exceeded?.promptTokens : null;
  if (promptTokens === null || promptTokens === undefined) return null;
  parts.learnPrompt(modelKey, facts, promptTokens);
  if (longest === null) return null;
  const needed = contextForCounted(promptTokens, facts, longest);
  const had = Math.max(contextLengthTokens ?? 0, wanted.minContextLengthTokens ?? 0);
  if (needed === null || needed <= had) return null;
  return { ...asked, wanted: { ...wanted, ...contextCondition(needed, facts) }, alternatives: [] };
}

/** A place on a resident for the request, or for the first of its alternatives that fits. */
async function placeFor(
  asked: AskedRequest,
  failed: readonly string[],
  side: ClientSide,
  parts: InferenceParts,
): Promise<Place> {
  let refusal: unknown = null;
  for (const wanted of [asked.wanted, ...asked.alternatives]) {
    try {
      return await placeWith(wanted, asked, failed, side, parts);
    } catch (error) {
      const mayFit = error instanceof SchedulingFailure && error.failure.code === 'nothing_fits';
      if (!mayFit) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function placeWith(
  wanted: ServingRequest,
  asked: AskedRequest,
  failed: readonly string[],
  { answer, reported, departure }: ClientSide,
  parts: InferenceParts,
): Promise<Place> {
  const { facts, client } = asked;
  const { scheduler, limits } = parts;
  const tell = (progress: WaitProgress): void => {
    if (facts.stream && progress.waitedMs >= limits.waitSignAfterMs) {
      answer.wait(progress, lastDecisionHeader(reported));
    }
  };
  return scheduler.place({
    wanted: failed.length === 0 ? wanted : { ...wanted, failed: [...wanted.failed, ...failed] },
    promptTokens: promptTokensOf(asked, parts),
    client: client.name,
    priority: client.priority,
    deadlineMs: facts.stream ? limits.streamDeadlineMs : limits.answerDeadlineMs,
    again: failed.length > 0,
    signal: departure.signal,
    onWait: tell,
  });
}

/** Embeddings are computed in batches, and keep no context. */
function promptTokensOf({ facts }: AskedRequest, parts: InferenceParts): PromptTokens {
  if (facts.capabilities.includes('embedding')) return () => 0;
  return (modelKey) => parts.promptTokens(facts, modelKey);
}

/** One attempt. Releases the place. */
async function relayThrough(
  place: Place,
  { headers, path, body, facts, protocol }: AskedRequest,
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
  { answer, reported }: Pick<ClientSide, 'answer' | 'reported'>,
  protocol: ProtocolName,
  runtime: RuntimeName | null,
): Served {
  if (outcome.kind === 'done') {
    const { firstByteMs, usage, responseId } = outcome;
    return { failure: null, firstByteMs, usage, responseId };
  }
  const failure = failureOf(outcome, reported, protocol, runtime);
  // A refusal in the runtime's own words, which the client may know. Only a whole body has the length that the headers give. Node
  // refuses headers of more than 16 KiB without a body, and a client could not read such an answer.
  const isOwnWord =
    outcome.kind === 'refused' &&
    outcome.isWhole &&
    outcome.body.length > 0 &&
    failure.code === 'refused';
  if (isOwnWord && !answer.begun) answer.passOn(outcome.head, outcome.body);
  else answer.fail(failure);
  return { failure, firstByteMs: null, usage: null, responseId: null };
}
