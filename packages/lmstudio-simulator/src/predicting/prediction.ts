import type { Runtime } from '../runtime/runtime.js';
import type { ResidentState } from '../runtime/resident.js';
import { createStopStringFilter } from './stop-strings.js';
import { countTokens } from './tokens.js';
import { startWork } from './work.js';

/** Why a prediction has ended, in LM Studio's words. */
export type StopReason =
  | 'eosFound'
  | 'maxPredictedTokensReached'
  | 'contextLengthReached'
  | 'stopStringFound'
  | 'userStopped'
  | 'modelUnloaded';

/** The statistics of a prediction as LM Studio sends them. */
export interface PredictionStats {
  readonly stopReason: StopReason;
  readonly stopString?: string;
  readonly tokensPerSecond: number;
  readonly numGpuLayers: number;
  readonly timeToFirstTokenSec: number;
  readonly totalTimeSec: number;
  readonly promptTokensCount: number;
  readonly predictedTokensCount: number;
  readonly totalTokensCount: number;
  readonly usedDraftModelKey?: string;
  readonly totalDraftTokensCount?: number;
  readonly acceptedDraftTokensCount?: number;
  readonly rejectedDraftTokensCount?: number;
  readonly ignoredDraftTokensCount?: number;
}

/** A request to generate text. */
export interface PredictionRequest {
  readonly prompt: string;
  /** `null`: the prediction ends with the fixed answer. */
  readonly maxTokens: number | null;
  readonly stopStrings: readonly string[];
  /** With `stopAtLimit`, a full context ends the prediction. The other policies make room and go on. */
  readonly overflowPolicy: 'stopAtLimit' | 'truncateMiddle' | 'rollingWindow';
  /** The key of a draft model for speculative decoding; `null`: none. */
  readonly draftModelKey: string | null;
}

/** Receives the events of a prediction. */
export interface PredictionListener {
  promptProgress(processedTokens: number, totalTokens: number): void;
  text(content: string, tokens: number): void;
  finished(stats: PredictionStats): void;
}

const ANSWER = 'Hello from the simulated model. This text stands in for an answer.'.match(
  /\s?\S+/g,
);
const ANSWER_TOKENS: readonly string[] = ANSWER ?? [];

/** Generates a fixed answer at the model's speed. The returned function stops it. */
export function startPrediction(
  runtime: Runtime,
  resident: ResidentState,
  request: PredictionRequest,
  listener: PredictionListener,
): () => void {
  const { clock } = runtime;
  const { model, device } = resident.file;
  const { contextLengthTokens } = resident.settings;
  const stopsAtLimit = request.overflowPolicy === 'stopAtLimit';
  // Invented: a prompt that is too long is cut to one token less than the context.
  const promptTokens = Math.min(
    countTokens(request.prompt),
    stopsAtLimit ? Infinity : Math.max(1, contextLengthTokens - 1),
  );
  const msPerToken = 1000 / model.tokensPerSecond / runtime.speed;
  const promptMs = (promptTokens / device.machine.promptTokensPerSecond / runtime.speed) * 1000;
  const createdMs = clock.now();
  const filter = createStopStringFilter(request.stopStrings);
  let firstTokenMs: number | null = null;
  let predicted = 0;
  let unsent = 0;
  let output = '';
  let stopString: string | null = null;

  const send = (content: string): void => {
    if (content === '') return;
    output += content;
    listener.text(content, unsent);
    unsent = 0;
  };

  const generate = (): void => {
    firstTokenMs ??= clock.now();
    const { text, found } = filter.add(ANSWER_TOKENS[predicted % ANSWER_TOKENS.length] ?? '');
    predicted++;
    unsent++;
    send(text);
    stopString = found;
    const wantedTokens = request.maxTokens ?? ANSWER_TOKENS.length;
    if (found !== null) {
      work.finish('stopStringFound');
    } else if (stopsAtLimit && promptTokens + predicted >= contextLengthTokens) {
      work.finish('contextLengthReached');
    } else if (predicted >= wantedTokens) {
      work.finish(request.maxTokens === null ? 'eosFound' : 'maxPredictedTokensReached');
    } else {
      work.next(generate, msPerToken);
    }
  };

  const work = startWork(runtime, resident, 'processingPrompt', {
    started() {
      runtime.log.emit({
        type: 'llm.prediction.input',
        input: request.prompt,
        modelPath: resident.file.variantName === null ? resident.file.filePath : model.modelKey,
        modelIdentifier: resident.identifier,
      });
      listener.promptProgress(0, promptTokens);
      work.next(() => {
        // Invented: LM Studio may answer with an error instead.
        if (stopsAtLimit && promptTokens >= contextLengthTokens) {
          work.finish('contextLengthReached');
          return;
        }
        listener.promptProgress(promptTokens, promptTokens);
        resident.status = 'generating';
        work.next(generate, msPerToken);
      }, promptMs);
    },
    finished(stopReason) {
      send(filter.rest());
      const endMs = clock.now();
      const generatingSec = Math.max(0.001, (endMs - (firstTokenMs ?? endMs)) / 1000);
      const totalTokens = promptTokens + predicted;
      runtime.residents.grow(resident, Math.min(totalTokens, contextLengthTokens));
      const stats: PredictionStats = {
        stopReason,
        ...(stopString === null ? {} : { stopString }),
        tokensPerSecond: predicted / generatingSec,
        numGpuLayers: -1,
        timeToFirstTokenSec: ((firstTokenMs ?? endMs) - createdMs) / 1000,
        totalTimeSec: (endMs - createdMs) / 1000,
        promptTokensCount: promptTokens,
        predictedTokensCount: predicted,
        totalTokensCount: totalTokens,
        ...draftStats(request.draftModelKey, predicted),
      };
      runtime.log.emit({
        type: 'llm.prediction.output',
        output,
        stats,
        modelIdentifier: resident.identifier,
      });
      listener.finished(stats);
    },
  });
  return () => work.finish('userStopped');
}

// Invented: the draft model guesses every token of the answer.
function draftStats(draftModelKey: string | null, predicted: number): Partial<PredictionStats> {
  if (draftModelKey === null) return {};
  return {
    usedDraftModelKey: draftModelKey,
    totalDraftTokensCount: predicted,
    acceptedDraftTokensCount: predicted,
    rejectedDraftTokensCount: 0,
    ignoredDraftTokensCount: 0,
  };
}
