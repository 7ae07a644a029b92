import type { EngineActivity, EngineState } from '../../process/messages.js';
import type { RequestQueue } from './cached-queue.js';
import type { CompletionOptions, CompletionReport, TokenReport } from '../llama-door.js';
import { RequestError, engineFailed } from '../request-error.js';

const CHECK_INTERVAL_MS = 1000;
/** A request that the binding no longer knows counts as lost after this many checks. */
const CHECKS_UNTIL_LOST = 3;

interface OpenRequest {
  readonly kind: 'completion' | 'embedding';
  readonly promptTokens: number;
  hasToken: boolean;
  missedChecks: number;
  readonly fail: (reason: unknown) => void;
}

/** What a completion is made from. */
interface CompletionRequest {
  readonly options: CompletionOptions;
  readonly promptTokens: number;
  /** The tokens of the prompt; null where they are not known, as with images. */
  readonly promptIds: Int32Array | null;
}

/** A completion that runs. Disposing it cancels what is left of it. */
export interface RunningCompletion extends Disposable {
  /**
   * Waits for the next report. Reports that arrived since the last call are merged into the newest.
   *
   * @throws RequestError where the request failed; the signal's reason where it was cancelled
   */
  next(): Promise<TokenReport | CompletionReport>;
  /** Tokens that were generated until now. 0 where the completion has ended. */
  countTokens(): number;
}

/** The requests that the binding works on, and the activity that follows from them. */
export class OpenRequests {
  readonly #queue: RequestQueue;
  readonly #onState: (state: EngineState) => void;
  readonly #open = new Map<number, OpenRequest>();
  #lastUsedAtMs: number | null = null;
  #reports = 0;
  #reported = '';
  #check: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(queue: RequestQueue, onState: (state: EngineState) => void) {
    this.#queue = queue;
    this.#onState = onState;
  }

  get state(): EngineState {
    const open = [...this.#open.values()];
    return {
      activity: activityOf(open),
      queued: open.length,
      lastUsedAtMs: this.#lastUsedAtMs,
      reports: this.#reports,
      promptTokens: open.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    };
  }

  complete(
    { options, promptTokens, promptIds }: CompletionRequest,
    signal: AbortSignal,
    onToken: (report: TokenReport) => void,
  ): RunningCompletion {
    this.#checkOpen(signal);
    let newest: TokenReport | CompletionReport | null = null;
    let failure: { readonly reason: unknown } | null = null;
    let wake: (() => void) | null = null;
    const settle = (): void => {
      wake?.();
      wake = null;
    };
    const onReport = (error: unknown, report: TokenReport | CompletionReport): void => {
      this.#reports += 1;
      if (error !== null && error !== undefined) {
        fail(engineFailed(error));
        return;
      }
      if (report.token === undefined) this.#close(requestId);
      else {
        onToken(report);
        this.#generates(requestId);
      }
      newest = report;
      settle();
    };
    const { requestId } = this.#queue.queueCompletion(options, onReport, promptIds);
    const fail = (reason: unknown): void => {
      failure ??= { reason };
      this.#cancel(requestId);
      settle();
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#add(requestId, {
      kind: 'completion',
      promptTokens,
      hasToken: false,
      missedChecks: 0,
      fail,
    });
    return {
      next: async () => {
        if (newest === null && failure === null) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (failure !== null) throw failure.reason;
        if (newest === null) throw new Error('a completion woke without a report');
        const report = newest;
        newest = null;
        return report;
      },
      countTokens: () =>
        this.#queue.getParallelStatus().requests.find((request) => request.request_id === requestId)
          ?.tokens_generated ?? 0,
      [Symbol.dispose]: () => {
        signal.removeEventListener('abort', abort);
        this.#cancel(requestId);
      },
    };
  }

  async embed(
    { text, promptTokens }: { readonly text: string; readonly promptTokens: number },
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    this.#checkOpen(signal);
    const { promise, resolve, reject } = deferred<readonly number[]>();
    const { requestId } = this.#queue.queueEmbedding(
      text,
      // 2: the Euclidean norm.
      { embd_normalize: 2 },
      (error, report) => {
        this.#reports += 1;
        this.#close(requestId);
        if (error === null || error === undefined) resolve(report.embedding);
        else reject(engineFailed(error));
      },
    );
    const fail = (reason: unknown): void => {
      this.#cancel(requestId);
      reject(reason);
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const counts = { promptTokens, hasToken: false, missedChecks: 0 };
    this.#add(requestId, { kind: 'embedding', ...counts, fail });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Cancels the open requests, and refuses further ones. */
  stop(): void {
    this.#isStopped = true;
    for (const request of [...this.#open.values()]) request.fail(unloading());
  }

  /** @throws RequestError where the engine stops; the signal's reason */
  #checkOpen(signal: AbortSignal): void {
    if (this.#isStopped) throw unloading();
    signal.throwIfAborted();
  }

  #add(requestId: number, request: OpenRequest): void {
    this.#open.set(requestId, request);
    this.#lastUsedAtMs = Date.now();
    this.#check ??= setInterval(() => this.#findLost(), CHECK_INTERVAL_MS);
    this.#report();
  }

  #generates(requestId: number): void {
    const request = this.#open.get(requestId);
    if (request === undefined || request.hasToken) return;
    request.hasToken = true;
    this.#report();
  }

  #cancel(requestId: number): void {
    if (!this.#open.has(requestId)) return;
    this.#queue.cancelRequest(requestId);
    this.#close(requestId);
  }

  #close(requestId: number): void {
    if (!this.#open.delete(requestId)) return;
    this.#lastUsedAtMs = Date.now();
    if (this.#open.size === 0 && this.#check !== null) {
      clearInterval(this.#check);
      this.#check = null;
    }
    this.#report();
  }

  /** Fails requests that the binding dropped without a last report, which it does where it cannot start sampling. */
  #findLost(): void {
    const known = new Set(this.#queue.getParallelStatus().requests.map((one) => one.request_id));
    for (const [requestId, request] of [...this.#open]) {
      request.missedChecks = known.has(requestId) ? 0 : request.missedChecks + 1;
      if (request.missedChecks < CHECKS_UNTIL_LOST) continue;
      request.fail(
        new RequestError(500, 'llama.cpp dropped the request; send it again', {
          code: 'engine_failed',
        }),
      );
    }
  }

  #report(): void {
    const { activity, queued } = this.state;
    const shown = `${activity} ${queued}`;
    if (shown === this.#reported) return;
    this.#reported = shown;
    this.#onState(this.state);
  }
}

function activityOf(open: readonly OpenRequest[]): EngineActivity {
  if (open.length === 0) return 'idle';
  if (open.some((request) => request.hasToken)) return 'generating';
  return open.some((request) => request.kind === 'completion')
    ? 'processing-prompt'
    : 'computing-embedding';
}

function unloading(): RequestError {
  return new RequestError(503, 'the model is being unloaded', { code: 'model_unloaded' });
}

function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
