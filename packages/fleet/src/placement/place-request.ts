import type { Candidate, Task } from './candidate.js';
import { checkHost } from './checks/check-host.js';
import { addCandidates } from './find-candidates.js';
import type {
  AssumedFigure,
  HostNotTaken,
  NotTakenReason,
  Placement,
  PlacementAlternative,
} from './placement.js';
import type { PlacementInput, RecentSend } from './placement-input.js';
import { seenBy } from './expected-times.js';
import { compareCandidates, compareText, decisiveCriterion } from './rank.js';
import { hashOf, rendezvousHash } from './rendezvous.js';
import { preferenceOf } from './checks/wanted-models.js';

/**
 * Ranks the places that can serve a request. Pure: the same input, with its hosts in any order, always gives the same
 * placement.
 *
 * 1. Hosts that are not usable, have restarted, stop, have no address, or that the policy excludes are left out. The own
 *    host never is.
 * 2. Each model of a host that the request wants and that meets its conditions is a candidate: at each resident that
 *    serves the request, else by a load where the host says that it fits, or may fit. A device of LM Link loads nothing.
 *    A load at another host is within what guests may take there.
 * 3. The times of a candidate are worked out: queue, load, prompt, answer. `expected-times.ts` has the formulas. The
 *    requests that this gateway has just sent count until the host's heartbeats count them. Where a host does not tell the
 *    speed of a model, the times of its earlier answers to this gateway are taken, else those of the same model at other hosts, else
 *    assumed ones.
 * 4. Among the residents of a model, the one whose host has the highest rendezvous hash with the conversation's start
 *    is expected to have its KV cache, and reads only a part of the prompt.
 * 5. The delay of a candidate is its time until the end of the answer, less the shortest such time of the same model
 *    at an idle host, plus the prices of a load, an eviction, and of each place further back in the chain. So a slow
 *    host loses against a fast one with the same model, but a small model does not win only because it is fast.
 *    Where no speed is known, the time by which the requests of one resident slow each other is left out.
 * 6. Candidates are ranked by: not slower than the policy asks for; delay, in intervals; step; tokens per second, in
 *    intervals of 10 %; requests ahead; the warm prefix; the asking host; name.
 * 7. Once two other hosts have failed the request, the asking host comes first where it can serve: the network of this machine
 *    may be the fault.
 */
export function placeRequest(input: PlacementInput): Placement {
  const { hosts, ownHost, request, policy } = input;
  const task: Task = {
    policy,
    ownHost,
    promptTokens: request.promptTokens ?? policy.assumed.promptTokens,
    answerTokens: policy.assumed.answerTokens,
    minContextLengthTokens: request.minContextLengthTokens,
    failedHosts: new Set(request.failed.flatMap(({ host }) => (host === ownHost ? [] : [host])))
      .size,
    seen: seenBy(input),
  };
  const preference = preferenceOf(input);
  const sends = sendsByHost(input.recentSends);
  const candidates: Candidate[] = [];
  const notTaken: HostNotTaken[] = [];
  for (const known of hosts) {
    const { host } = known.state;
    const reason =
      (host === ownHost ? null : checkHost(known, input)) ??
      addCandidates(candidates, known, input, preference, task, sends.get(host) ?? NO_SENDS);
    if (reason !== null) notTaken.push({ host, reason });
  }
  weigh(candidates, input);
  const { best, first } = rank(candidates, input);
  const [taken] = best;
  for (const [host, candidate] of first) {
    if (taken !== undefined && host !== taken.host) {
      notTaken.push({ host, reason: rankedBehind(candidate, taken, input) });
    }
  }
  const alternatives = best.map(describe);
  if (!alternatives.some(({ host }) => host === ownHost)) {
    const own = first.get(ownHost);
    alternatives.push(own === undefined ? ownHostAlone(ownHost) : describe(own));
  }
  const takenHost = alternatives[0]?.host;
  return {
    alternatives,
    notTaken: notTaken
      .filter(({ host }) => host !== takenHost)
      .sort((one, other) => compareText(one.host, other.host)),
    promptTokens: task.promptTokens,
    answerTokens: task.answerTokens,
  };
}

const NO_SENDS: readonly RecentSend[] = [];

function sendsByHost(recentSends: readonly RecentSend[]): ReadonlyMap<string, RecentSend[]> {
  const byHost = new Map<string, RecentSend[]>();
  for (const send of recentSends) {
    const sends = byHost.get(send.host);
    if (sends === undefined) byHost.set(send.host, [send]);
    else sends.push(send);
  }
  return byHost;
}

/** Works out what depends on the other candidates: the warm host of each model, `smaller`, and the delays. */
function weigh(candidates: readonly Candidate[], { request, policy }: PlacementInput): void {
  const fastestMs = new Map<number, number>();
  const warmest = new Map<number, { readonly candidate: Candidate; readonly hash: number }>();
  const prefixHash = request.prefixKey === null ? null : hashOf(request.prefixKey);
  let preferred = Infinity;
  for (const candidate of candidates) {
    const { preference, idleServiceMs, host, resident } = candidate;
    if (preference < preferred) preferred = preference;
    const fastest = fastestMs.get(preference);
    if (fastest === undefined || idleServiceMs < fastest) fastestMs.set(preference, idleServiceMs);
    if (prefixHash === null || resident === null) continue;
    const hash = rendezvousHash(prefixHash, host);
    const warm = warmest.get(preference);
    if (
      warm === undefined ||
      hash > warm.hash ||
      (hash === warm.hash && isBefore(candidate, warm.candidate))
    ) {
      warmest.set(preference, { candidate, hash });
    }
  }
  for (const { candidate } of warmest.values()) {
    candidate.warm = true;
    candidate.promptMs = candidate.fullPromptMs * (1 - policy.warmRatio);
  }
  for (const candidate of candidates) {
    const { preference, queueMs, loadMs, promptMs, answerMs, hopMs, countedRatio } = candidate;
    const behind = preference - preferred;
    if (behind > 0) candidate.step = 'smaller';
    candidate.penaltyMs = candidate.loadPenaltyMs + behind * policy.smallerPenaltyMs;
    candidate.delayMs =
      queueMs +
      loadMs +
      (promptMs + answerMs) * countedRatio +
      hopMs -
      (fastestMs.get(preference) ?? 0) +
      candidate.penaltyMs;
  }
}

/**
 * Whether a resident counts as the warm one where two residents have the same hash: they are at one host, or their hashes are equal
 * by chance.
 */
function isBefore(one: Candidate, other: Candidate): boolean {
  return (
    (compareText(one.host, other.host) ||
      compareText(
        one.resident?.instanceIdentifier ?? '',
        other.resident?.instanceIdentifier ?? '',
      )) < 0
  );
}

/** The best candidates, and the best one of each host. */
function rank(
  candidates: readonly Candidate[],
  { policy }: PlacementInput,
): { readonly best: readonly Candidate[]; readonly first: ReadonlyMap<string, Candidate> } {
  const best: Candidate[] = [];
  const first = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const known = first.get(candidate.host);
    if (known === undefined || compareCandidates(candidate, known, policy) < 0) {
      first.set(candidate.host, candidate);
    }
    const last = best[best.length - 1];
    const isFull = best.length >= policy.alternativesMax;
    if (isFull && (last === undefined || compareCandidates(candidate, last, policy) > 0)) continue;
    if (isFull) best.pop();
    let at = best.length;
    for (;;) {
      const before = best[at - 1];
      if (before === undefined || compareCandidates(candidate, before, policy) >= 0) break;
      at -= 1;
    }
    best.splice(at, 0, candidate);
  }
  return { best, first };
}

function rankedBehind(
  candidate: Candidate,
  taken: Candidate,
  { policy }: PlacementInput,
): NotTakenReason {
  return {
    code: 'RANKED_BEHIND',
    modelKey: candidate.model.modelKey,
    step: candidate.step,
    by: decisiveCriterion(taken, candidate, policy),
    delayMs: candidate.delayMs,
    bestDelayMs: taken.delayMs,
    penaltyMs: candidate.penaltyMs,
    ahead: candidate.ahead,
    tokensPerSecond: candidate.tokensPerSecond,
  };
}

function describe(candidate: Candidate): PlacementAlternative {
  const { model, resident, queueMs, loadMs, promptMs, hopMs } = candidate;
  const assumed: AssumedFigure[] = [];
  if (model.speed === null) assumed.push(candidate.speedFrom);
  if (candidate.isLoadAssumed) assumed.push('load-time');
  if (candidate.isRequestsAssumed) assumed.push('requests');
  return {
    host: candidate.host,
    step: candidate.step,
    modelKey: model.modelKey,
    digest: model.digest,
    instanceIdentifier: resident?.instanceIdentifier ?? null,
    figures: {
      preference: candidate.preference,
      ahead: candidate.ahead,
      parallel: candidate.parallel,
      tokensPerSecond: candidate.tokensPerSecond,
      queueMs,
      loadMs,
      promptMs,
      answerMs: candidate.answerMs,
      waitMs: queueMs + loadMs + promptMs + hopMs,
      penaltyMs: candidate.penaltyMs,
      delayMs: candidate.delayMs,
      timeRatio: candidate.timeRatio,
      warm: candidate.warm,
      tooSlow: candidate.tooSlow,
      assumed,
    },
  };
}

function ownHostAlone(host: string): PlacementAlternative {
  return {
    host,
    step: 'own-host',
    modelKey: null,
    digest: null,
    instanceIdentifier: null,
    figures: null,
  };
}
