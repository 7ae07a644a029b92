import type { Backend } from '../../runtime/backend.js';
import { composeAnswer } from '../../predicting/answer.js';
import type { AnswerPart, AnswerRequest } from '../../predicting/answer.js';
import { startPrediction } from '../../predicting/prediction.js';
import type { PredictionStats } from '../../runtime/prediction-stats.js';
import { countPromptTokens } from '../../predicting/tokens.js';
import type { ResidentState } from '../../runtime/resident.js';
import type { Exchange } from '../exchange.js';
import { findInstance } from './find-instance.js';
import type { ModelChoice } from './find-instance.js';
import {
  imagesNotSupported,
  predictionCrashed,
  predictionUnloaded,
  promptTooLong,
  RequestFailure,
} from './request-failure.js';

/** A request for text, the same for all protocols. */
export interface GenerationRequest extends AnswerRequest, ModelChoice {
  /** All that the model reads: messages, system prompt and tool definitions. */
  readonly prompt: string;
  readonly imageCount: number;
  /** `null`: no limit. */
  readonly maxTokens: number | null;
  readonly stopStrings: readonly string[];
}

/** A part of a finished answer. */
export interface GeneratedPart {
  readonly part: AnswerPart;
  /** The text, or the JSON of a tool's arguments. Shorter than planned where a limit ended the answer. */
  readonly content: string;
  readonly tokens: number;
}

/** The instance that answers, and the tokens that it has read. */
export interface StartedAnswer {
  readonly resident: ResidentState;
  readonly promptTokens: number;
}

/** A whole answer. */
export interface FinishedAnswer extends StartedAnswer {
  readonly parts: readonly GeneratedPart[];
  readonly stats: PredictionStats;
  readonly reasoningTokens: number;
}

/** Writes an answer in the form of one protocol. */
export interface AnswerWriter {
  /** The instance is loaded. The prompt is processed from now on. */
  started(answer: StartedAnswer): void;
  /** The prompt has been processed. */
  prompted(): void;
  /** The next tokens of a part. A new part ends the part before. */
  content(part: AnswerPart, content: string): void;
  finished(answer: FinishedAnswer): void;
  failed(failure: RequestFailure): void;
}

/** The events that a writer of whole answers does not need. */
export const WITHOUT_STREAM: Pick<AnswerWriter, 'started' | 'prompted' | 'content'> = {
  started: () => {},
  prompted: () => {},
  content: () => {},
};

/** Answers a request: finds or loads the model, generates, and stops when the client has gone. */
export async function generate(
  backend: Backend,
  exchange: Exchange,
  request: GenerationRequest,
  writer: AnswerWriter,
): Promise<void> {
  let resident: ResidentState;
  try {
    resident = await findInstance(backend, exchange, 'llm', request);
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    writer.failed(error);
    return;
  }
  const promptTokens = countPromptTokens(request);
  writer.started({ resident, promptTokens });
  const contextTokens = resident.settings.contextLengthTokens;
  if (request.imageCount > 0 && !resident.file.model.vision) {
    writer.failed(imagesNotSupported());
  } else if (promptTokens >= contextTokens) {
    writer.failed(promptTooLong(promptTokens, contextTokens));
  } else {
    predict(backend, exchange, { request, resident, promptTokens }, writer);
  }
}

function predict(
  { runtime }: Backend,
  exchange: Exchange,
  { request, resident, promptTokens }: StartedAnswer & { readonly request: GenerationRequest },
  writer: AnswerWriter,
): void {
  const target = { modelKey: resident.file.model.modelKey, endpoint: exchange.path };
  const cut = runtime.faults.triggerFor('cut-stream', target);
  const error = runtime.faults.triggerFor('stream-error', target);
  const parts: GeneratedPart[] = [];
  let generated = 0;
  let isOver = false;

  // Ends the answer where a fault says so. Returns whether the answer has ended.
  const endByFault = (isAtEnd: boolean): boolean => {
    if (isOver) return true;
    if (cut && (isAtEnd || generated >= (cut.afterTokens ?? 3))) {
      isOver = true;
      exchange.cut();
    } else if (error && (isAtEnd || generated >= (error.afterTokens ?? 3))) {
      isOver = true;
      // The text and the status of an error of the engine are assumed.
      writer.failed(
        new RequestFailure(400, error.text ?? 'Simulated error during the prediction.'),
      );
    }
    if (isOver) stop();
    return isOver;
  };
  const stop = startPrediction(
    runtime,
    resident,
    {
      prompt: request.prompt,
      imageCount: request.imageCount,
      answer: composeAnswer(request, runtime.world.answers),
      repeatsAnswer: false,
      maxTokens: request.maxTokens,
      stopStrings: request.stopStrings,
      // Assumed: an answer that fills the context ends there.
      overflowPolicy: 'stopAtLimit',
      draftModelKey: null,
      // Captured up to 0.3.31: when a client has gone, LM Studio logs that it finishes the prompt first. Assumed
      // for later versions.
      finishesPrompt: true,
    },
    {
      promptProgress(processed, total) {
        if (processed < total || isOver) return;
        if (cut?.afterTokens === 0 || error?.afterTokens === 0) endByFault(false);
        else writer.prompted();
      },
      text(content, tokens, part) {
        if (isOver) return;
        generated += tokens;
        const last = parts.at(-1);
        if (last?.part === part) {
          parts[parts.length - 1] = {
            part,
            content: last.content + content,
            tokens: last.tokens + tokens,
          };
        } else parts.push({ part, content, tokens });
        writer.content(part, content);
        endByFault(false);
      },
      finished(stats) {
        if (isOver) return;
        if (resident.crashExitCode !== null) {
          isOver = true;
          writer.failed(predictionCrashed(resident.crashExitCode));
        } else if (stats.stopReason === 'modelUnloaded') {
          isOver = true;
          writer.failed(predictionUnloaded());
        } else if (!endByFault(true)) {
          isOver = true;
          const reasoning = parts.filter(({ part }) => part.type === 'reasoning');
          const reasoningTokens = reasoning.reduce((sum, { tokens }) => sum + tokens, 0);
          writer.finished({ resident, promptTokens, parts, stats, reasoningTokens });
        }
      },
    },
  );
  exchange.onClientGone(() => {
    isOver = true;
    stop();
  });
}
