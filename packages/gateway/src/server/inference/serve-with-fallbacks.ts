import type { ServingLease, ServingRequest } from '../../ports/serving-port.js';
import type { Failure, ProtocolName, Usage, WaitProgress } from '../../protocols/protocol.js';
import { contextCondition, contextForCounted } from '../../models/required-context.js';
import { SchedulingFailure, type Place, type PromptTokens } from '../../queue/scheduler.js';
import type { RelayOutcome } from '../../upstream/relay.js';
import type { RuntimeName } from '../../upstream/runtime-words.js';
import { lastDecisionHeader } from './decision-headers.js';
import { failureOf } from './failure-of-outcome.js';
import type { InferenceParts } from './inference-parts.js';
import { mayFallBack, relayThrough, type AskedRequest, type ClientSide } from './relay-through.js';

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
