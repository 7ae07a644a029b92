import type { LogEvent } from './engine-event.js';

/** The figures of an answer that ran alone, from LM Studio's log. Prompt and text are not part of it. */
export interface LoggedPrediction {
  readonly instanceIdentifier: string;
  /** Tokens of the whole prompt, also those that were in the cache. */
  readonly promptTokens: number;
  readonly predictedTokens: number;
  /** Generated tokens per second, without the time of the prompt. */
  readonly tokensPerSecond: number;
}

/** A request without an answer for this long was cancelled. It is not known whether LM Studio logs an end for it. */
const OPEN_MAX_MS = 600_000;

interface OpenRequest {
  readonly instanceIdentifier: string | null;
  readonly atMs: number | null;
}

/**
 * Finds the answers that ran alone, on any instance. Answers that run at the same time share the machine, so none of them
 * says how fast a model is. Also a load slows an answer down.
 */
export class PredictionLog {
  #open: readonly OpenRequest[] = [];
  /** Whether another request or a load ran at the same time as the request that began last. */
  #isShared = false;

  /** The figures of the answer that ends with this event; `null` for other events, and where it did not run alone. */
  add(event: LogEvent): LoggedPrediction | null {
    switch (event.kind) {
      case 'engine':
        if (event.facts.some(({ kind }) => kind !== 'ended')) this.#isShared = true;
        return null;
      case 'request':
        this.#begin(event);
        return null;
      case 'answer':
        return this.#end(event);
    }
  }

  #begin({ requestTo, atMs }: Extract<LogEvent, { kind: 'request' }>): void {
    const isRecent = (one: OpenRequest): boolean =>
      one.atMs === null || atMs === null || atMs - one.atMs < OPEN_MAX_MS;
    const running = this.#open.filter(isRecent);
    this.#isShared = running.length > 0;
    this.#open = [...running, { instanceIdentifier: requestTo, atMs }];
  }

  #end({ answerOf, stats }: Extract<LogEvent, { kind: 'answer' }>): LoggedPrediction | null {
    const at = this.#open.findIndex((one) => one.instanceIdentifier === answerOf);
    // The request came before the log was read.
    if (at === -1) return null;
    const ranAlone = this.#open.length === 1 && !this.#isShared;
    this.#open = this.#open.filter((_, index) => index !== at);
    if (!ranAlone || answerOf === null || stats === null) return null;
    return { instanceIdentifier: answerOf, ...stats };
  }
}
