import { isTooSlow } from '@mai/memory-ledger';
import type { HostModel, HostResident } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';
import { loadMs, queueMs, serviceTimes, slowdown, type SeenRatio } from './expected-times.js';
import type { HostLoad } from './host-load.js';
import type { PlacementStep } from './placement.js';
import type { PlacementPolicy } from './placement-input.js';

/** A model on a host that can serve the request. The fields after the empty line depend on the other candidates. */
export interface Candidate {
  readonly host: string;
  readonly isOwn: boolean;
  /** Whether the candidate comes first, because it is at the asking host and two other hosts have failed the request. */
  readonly isLastResort: boolean;
  readonly model: HostModel;
  /** Null where the model must be loaded. */
  readonly resident: HostResident | null;
  readonly preference: number;
  readonly ahead: number;
  readonly parallel: number;
  readonly tokensPerSecond: number | null;
  readonly tooSlow: boolean;
  readonly queueMs: number;
  readonly loadMs: number;
  readonly answerMs: number;
  readonly hopMs: number;
  /** Time to read the whole prompt. */
  readonly fullPromptMs: number;
  /**
   * Share of the times of prompt and answer that counts for the delay, 0 to 1. Below 1 where no speed is known: then these times are
   * guesses, and so is the part of them by which the requests of one resident slow each other. This part is left out, because such a
   * guess is no reason to load the model elsewhere.
   */
  readonly countedRatio: number;
  /** Prompt and answer at an idle host. */
  readonly idleServiceMs: number;
  readonly loadPenaltyMs: number;
  readonly isRequestsAssumed: boolean;
  readonly isLoadAssumed: boolean;
  readonly timeRatio: number;
  /** Where the time comes from if the host does not tell the speed of the model. */
  readonly speedFrom: 'speed' | 'speed-seen' | 'speed-elsewhere';

  step: PlacementStep;
  warm: boolean;
  promptMs: number;
  penaltyMs: number;
  delayMs: number;
}

/** The facts of one placement that the times of all its candidates depend on. */
export interface Task {
  readonly policy: PlacementPolicy;
  readonly ownHost: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly minContextLengthTokens: number | null;
  /** Other hosts that have failed the request. */
  readonly failedHosts: number;
  /** How long answers took where the speed is not known; null where nothing was seen. */
  readonly seen: (host: string, modelKey: string) => SeenRatio | null;
}

/**
 * Other hosts that may fail a request before the own host is asked. A gateway sends a request to three places at most, so the third
 * place is the asking host, which needs no network.
 */
const FAILED_HOSTS_MAX = 2;

/** A candidate at a resident, or where the model must be loaded. */
export function candidateOf(
  { state }: KnownHost,
  model: HostModel,
  resident: HostResident | null,
  preference: number,
  load: HostLoad,
  { policy, ownHost, promptTokens, answerTokens, minContextLengthTokens, ...task }: Task,
): Candidate {
  const isOwn = state.host === ownHost;
  const pending = resident === null ? load.loading(model.modelKey) : null;
  const ahead =
    resident === null ? (pending?.requests ?? 0) : load.ahead(model, resident.instanceIdentifier);
  const parallel = Math.max(1, resident?.parallel ?? parallelOfLoad(state, policy));
  const seen = model.speed === null ? task.seen(state.host, model.modelKey) : null;
  const timeRatio = seen?.timeRatio ?? 1;
  const service = serviceTimes(model, promptTokens, answerTokens, policy.assumed, timeRatio);
  const idleServiceMs = service.promptMs + service.answerMs;
  const others = load.othersBusy(resident?.instanceIdentifier ?? null);
  const beside = slowdown(Math.min(ahead + 1, parallel) + others, policy);
  const isTimeKnown = model.speed !== null || seen !== null;
  const tokensPerSecond = model.speed?.decodeTokensPerSecond.expected ?? null;
  const promptMs = service.promptMs * beside;
  const fitsNow = model.fit === 'now' && !isLonger(model, minContextLengthTokens);
  return {
    host: state.host,
    isOwn,
    isLastResort: isOwn && task.failedHosts >= FAILED_HOSTS_MAX,
    model,
    resident,
    preference,
    ahead,
    parallel,
    tokensPerSecond,
    tooSlow: model.speed !== null && isTooSlow(model.speed, policy),
    queueMs: queueMs(ahead, parallel, idleServiceMs * slowdown(parallel + others, policy)),
    loadMs: resident === null ? timeUntilLoaded(state.models, model, load, policy) : 0,
    answerMs: service.answerMs * beside,
    hopMs: isOwn ? 0 : policy.hopMs,
    fullPromptMs: promptMs,
    countedRatio: isTimeKnown ? 1 : slowdown(1 + others, policy) / beside,
    idleServiceMs,
    loadPenaltyMs:
      resident !== null || pending !== null
        ? 0
        : policy.loadPenaltyMs + (fitsNow ? 0 : policy.evictionPenaltyMs),
    isRequestsAssumed: load.isAssumed && !isOwn,
    timeRatio,
    speedFrom: seen === null ? 'speed' : seen.elsewhere ? 'speed-elsewhere' : 'speed-seen',
    isLoadAssumed: resident === null && model.speed?.loadMs == null,
    step: stepOf(resident, ahead, fitsNow),
    warm: false,
    promptMs,
    penaltyMs: 0,
    delayMs: 0,
  };
}

/** LM Studio loads with several sequences, the embedded engine with one. */
function parallelOfLoad({ versions }: KnownHost['state'], { assumed }: PlacementPolicy): number {
  return versions.runtime === 'lmstudio' ? assumed.parallelOfLmStudio : 1;
}

/** Whether a request needs a longer context than the one for which the host says whether the model fits. */
function isLonger({ contextLengthTokens }: HostModel, wantedTokens: number | null): boolean {
  return (
    wantedTokens !== null && contextLengthTokens !== null && wantedTokens > contextLengthTokens
  );
}

function stepOf(resident: HostResident | null, ahead: number, fitsNow: boolean): PlacementStep {
  if (resident !== null) return ahead === 0 ? 'resident-idle' : 'resident-busy';
  return fitsNow ? 'fits' : 'after-eviction';
}

/** A load that this gateway has caused goes on, and loads of one host run one after another. */
function timeUntilLoaded(
  models: readonly HostModel[],
  model: HostModel,
  load: HostLoad,
  { assumed }: PlacementPolicy,
): number {
  const remaining = (one: HostModel): number =>
    Math.max(0, loadMs(one, assumed) - (load.loading(one.modelKey)?.sinceMs ?? 0));
  let totalMs = remaining(model);
  if (load.loadingKeys.length === 0 || load.loading(model.modelKey) !== null) return totalMs;
  for (const other of models) {
    if (load.loadingKeys.includes(other.modelKey)) totalMs += remaining(other);
  }
  return totalMs;
}
