import { CRASH_EXIT_CODE } from '../faults/fault.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ResidentState } from '../runtime/resident.js';
import type { AnswerPart } from './answer.js';
import { createStopStringFilter } from './stop-strings.js';
import { countPromptTokens } from './tokens.js';
import { startWork } from './work.js';
import type { PredictionStats } from '../runtime/prediction-stats.js';

/** A request to generate text. */
export interface PredictionRequest {
  readonly prompt: string;
  /** The number of images. Their tokens are not part of `prompt`. */
  readonly imageCount: number;
  /** The answer that the model generates. */
  readonly answer: readonly AnswerPart[];
  /** Whether the answer is repeated until `maxTokens` or another limit is reached. */
  readonly repeatsAnswer: boolean;
  /** `null`: the prediction ends with the answer. */
  readonly maxTokens: number | null;
  readonly stopStrings: readonly string[];
  /** With `stopAtLimit`, a full context ends the prediction. The other policies make room and go on. */
  readonly overflowPolicy: 'stopAtLimit' | 'truncateMiddle' | 'rollingWindow';
  /** The key of a draft model for speculative decoding; `null`: none. */
  readonly draftModelKey: string | null;
  /** Whether a stop waits until the prompt has been processed. */
  readonly finishesPrompt: boolean;
}

/** Receives the events of a prediction. */
export interface PredictionListener {
  promptProgress(processedTokens: number, totalTokens: number): void;
  text(content: string, tokens: number, part: AnswerPart): void;
  finished(stats: PredictionStats): void;
}

/** Generates an answer at the model's speed. The returned function stops it. */
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
    countPromptTokens(request),
    stopsAtLimit ? Infinity : Math.max(1, contextLengthTokens - 1),
  );
  const msPerToken = 1000 / model.tokensPerSecond / runtime.speed;
  const tokens = request.answer.flatMap((part) => part.tokens.map((text) => ({ part, text })));
  const late = runtime.faults.triggerFor('slow-first-token', model);
  const crash = runtime.faults.triggerFor('crash-prediction', model);
  const unload = runtime.faults.triggerFor('unload-during-prediction', model);
  const promptMs =
    ((promptTokens / device.machine.promptTokensPerSecond) * 1000 + (late?.delayMs ?? 0)) /
    runtime.speed;
  const createdMs = clock.now();
  const filter = createStopStringFilter(request.stopStrings);
  let firstTokenMs: number | null = null;
  let predicted = 0;
  let unsent = 0;
  let output = '';
  let stopString: string | null = null;
  let inPrompt = false;
  let isStopping = false;
  let current: AnswerPart | null = null;

  const send = (content: string): void => {
    if (content === '' || current === null) return;
    output += content;
    listener.text(content, unsent, current);
    unsent = 0;
  };
  // Stop strings end a text, not reasoning and not the arguments of a tool.
  const filterText = (text: string): { readonly text: string; readonly found: string | null } =>
    current?.type === 'text' ? filter.add(text) : { text, found: null };

  const generate = (): void => {
    if (crash && predicted >= (crash.afterTokens ?? 3)) {
      const withoutMemory = crash.cause === 'out-of-memory';
      const exitCode = crash.exitCode ?? (withoutMemory ? 'null' : CRASH_EXIT_CODE);
      runtime.residents.crash(resident, exitCode);
      return;
    }
    if (unload && predicted >= (unload.afterTokens ?? 3)) {
      runtime.residents.unload(resident.identifier);
      return;
    }
    firstTokenMs ??= clock.now();
    const token = tokens[predicted % tokens.length];
    if (token && token.part !== current) {
      send(filter.rest());
      current = token.part;
    }
    const { text, found } = filterText(token?.text ?? '');
    predicted++;
    unsent++;
    send(text);
    stopString = found;
    if (found !== null) {
      work.finish('stopStringFound');
    } else if (stopsAtLimit && promptTokens + predicted >= contextLengthTokens) {
      work.finish('contextLengthReached');
    } else if (request.maxTokens !== null && predicted >= request.maxTokens) {
      work.finish('maxPredictedTokensReached');
    } else if (!request.repeatsAnswer && predicted >= tokens.length) {
      work.finish('eosFound');
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
      inPrompt = true;
      work.next(() => {
        inPrompt = false;
        if (isStopping) {
          work.finish('userStopped');
          return;
        }
        // Invented: LM Studio may answer with an error instead.
        if (stopsAtLimit && promptTokens >= contextLengthTokens) {
          work.finish('contextLengthReached');
          return;
        }
        resident.status = 'generating';
        listener.promptProgress(promptTokens, promptTokens);
        work.next(generate, msPerToken);
      }, promptMs);
    },
    finished(stopReason) {
      send(filter.rest());
      const endMs = clock.now();
      const generatingSec = Math.max(0.001, (endMs - (firstTokenMs ?? endMs)) / 1000);
      const totalTokens = promptTokens + predicted;
      runtime.residents.grow(resident, {
        text: request.prompt + output,
        tokens: Math.min(totalTokens, contextLengthTokens),
      });
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
  return () => {
    if (request.finishesPrompt && inPrompt) isStopping = true;
    else work.finish('userStopped');
  };
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
