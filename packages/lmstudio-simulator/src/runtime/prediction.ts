import type { Runtime } from './runtime.js';
import type { InstanceStatus, Job, ResidentState } from './resident.js';

/** Why a prediction has ended, in LM Studio's words. */
export type StopReason =
  | 'eosFound'
  | 'maxPredictedTokensReached'
  | 'contextLengthReached'
  | 'userStopped'
  | 'modelUnloaded';

/** The statistics of a prediction as LM Studio sends them. */
export interface PredictionStats {
  readonly stopReason: StopReason;
  readonly tokensPerSecond: number;
  readonly numGpuLayers: number;
  readonly timeToFirstTokenSec: number;
  readonly totalTimeSec: number;
  readonly promptTokensCount: number;
  readonly predictedTokensCount: number;
  readonly totalTokensCount: number;
}

/** Receives the events of a prediction. */
export interface PredictionListener {
  promptProgress(processedTokens: number, totalTokens: number): void;
  token(text: string): void;
  finished(stats: PredictionStats): void;
}

const ANSWER = 'Hello from the simulated model. This text stands in for an answer.'.match(
  /\s?\S+/g,
);
const ANSWER_TOKENS: readonly string[] = ANSWER ?? [];

/** The number of tokens of a text: one for each four characters, a rule of thumb for English. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Stable numbers that stand for tokens; their count is that of `countTokens`. */
export function tokenize(text: string): readonly number[] {
  return Array.from({ length: countTokens(text) }, (_, index) =>
    [...text.slice(index * 4, index * 4 + 4)].reduce(
      (hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 30_000,
      7,
    ),
  );
}

/** Generates a fixed answer at the model's speed. The returned function stops it. */
export function startPrediction(
  runtime: Runtime,
  resident: ResidentState,
  request: { readonly promptTokens: number; readonly maxTokens: number | null },
  listener: PredictionListener,
): () => void {
  const { clock } = runtime;
  const { model, device } = resident.file;
  const msPerToken = 1000 / model.tokensPerSecond / runtime.speed;
  const promptMs =
    (request.promptTokens / device.machine.promptTokensPerSecond / runtime.speed) * 1000;
  const createdMs = clock.now();
  let firstTokenMs: number | null = null;
  let predicted = 0;

  const generate = (): void => {
    const wantedTokens = request.maxTokens ?? ANSWER_TOKENS.length;
    const text = ANSWER_TOKENS[predicted % ANSWER_TOKENS.length] ?? '';
    firstTokenMs ??= clock.now();
    predicted++;
    listener.token(text);
    if (request.promptTokens + predicted >= resident.settings.contextLengthTokens) {
      work.finish('contextLengthReached');
    } else if (predicted >= wantedTokens) {
      work.finish(request.maxTokens === null ? 'eosFound' : 'maxPredictedTokensReached');
    } else {
      work.next(generate, msPerToken);
    }
  };

  const work = startWork(runtime, resident, 'processingPrompt', {
    started() {
      listener.promptProgress(0, request.promptTokens);
      work.next(() => {
        listener.promptProgress(request.promptTokens, request.promptTokens);
        resident.status = 'generating';
        work.next(generate, msPerToken);
      }, promptMs);
    },
    finished(stopReason) {
      const endMs = clock.now();
      const generatingSec = Math.max(0.001, (endMs - (firstTokenMs ?? endMs)) / 1000);
      listener.finished({
        stopReason,
        tokensPerSecond: predicted / generatingSec,
        numGpuLayers: -1,
        timeToFirstTokenSec: ((firstTokenMs ?? endMs) - createdMs) / 1000,
        totalTimeSec: (endMs - createdMs) / 1000,
        promptTokensCount: request.promptTokens,
        predictedTokensCount: predicted,
        totalTokensCount: request.promptTokens + predicted,
      });
    },
  });
  return () => work.finish('userStopped');
}

/**
 * Embeds a text at the model's speed. The embedding is a unit vector that depends only on the text, or `null`
 * where the model was unloaded.
 */
export function startEmbedding(
  runtime: Runtime,
  resident: ResidentState,
  text: string,
  done: (embedding: readonly number[] | null) => void,
): void {
  const { tokensPerSecond, geometry } = resident.file.model;
  const work = startWork(runtime, resident, 'computingEmbedding', {
    started() {
      const tookMs = (countTokens(text) / tokensPerSecond / runtime.speed) * 1000;
      work.next(() => work.finish('eosFound'), tookMs);
    },
    finished(stopReason) {
      done(stopReason === 'modelUnloaded' ? null : unitVector(text, geometry.hiddenSize));
    },
  });
}

interface Work {
  next(callback: () => void, delayMs: number): void;
  finish(stopReason: StopReason): void;
}

// Starts work in one of the instance's parallel slots, or queues it until one is free.
function startWork(
  runtime: Runtime,
  resident: ResidentState,
  status: InstanceStatus,
  events: { started(): void; finished(stopReason: StopReason): void },
): Work {
  let cancelTimer = (): void => {};
  let over = false;

  const leave = (stopReason: StopReason): boolean => {
    if (over) return false;
    over = true;
    cancelTimer();
    resident.jobs.delete(job);
    const place = resident.queue.indexOf(job);
    if (place >= 0) resident.queue.splice(place, 1);
    if (resident.jobs.size === 0) resident.status = 'idle';
    events.finished(stopReason);
    return true;
  };
  const job: Job = {
    start() {
      resident.jobs.add(job);
      resident.status = status;
      runtime.touch(resident);
      events.started();
    },
    abandon() {
      leave('modelUnloaded');
    },
  };
  const work: Work = {
    next(callback, delayMs) {
      cancelTimer = runtime.clock.schedule(callback, delayMs);
    },
    finish(stopReason) {
      if (!leave(stopReason)) return;
      runtime.touch(resident);
      if (resident.jobs.size < resident.settings.parallelSequences) resident.queue.shift()?.start();
    },
  };
  if (resident.jobs.size < resident.settings.parallelSequences) {
    // In a microtask, so that the caller has the handle before the first event.
    resident.jobs.add(job);
    queueMicrotask(() => {
      if (!over) job.start();
    });
  } else {
    resident.queue.push(job);
  }
  return work;
}

function unitVector(text: string, dimension: number): readonly number[] {
  let state = 2_166_136_261;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  const values = Array.from({ length: dimension }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
