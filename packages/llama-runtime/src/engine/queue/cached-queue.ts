import {
  hasEndReason,
  type CompletionOptions,
  type CompletionReport,
  type LlamaContext,
  type RequestStatus,
  type TokenReport,
} from '../llama-door.js';
import { heldTokens, recognizeAnswer, type HeldTokens } from './held-tokens.js';
import { writeSlotState, type SlotState } from './slot-state.js';

type Callback = (error: unknown, report: TokenReport | CompletionReport) => void;

/** A queue of requests: the binding's own, or this one in front of it. */
export interface RequestQueue extends Pick<
  LlamaContext,
  'queueEmbedding' | 'cancelRequest' | 'getParallelStatus'
> {
  /** @param promptIds - the tokens of the prompt; null where they are not known, as with images */
  queueCompletion(
    options: CompletionOptions,
    callback: Callback,
    promptIds: Int32Array | null,
  ): { readonly requestId: number };
}

interface Request {
  readonly requestId: number;
  readonly options: CompletionOptions;
  readonly callback: Callback;
  readonly promptIds: Int32Array | null;
}

interface Running {
  readonly request: Request;
  readonly nativeId: number;
  readonly state: SlotState | null;
  /** Tokens of its prompt that the cache held before it. */
  readonly shared: Int32Array;
}

/**
 * A queue for one slot that keeps the KV cache between requests, so that the next turn of a conversation computes only its
 * new tokens. The binding's queue clears the cache at the start of each request, unless the request names a saved state. So a
 * request names a state file that has the tokens which the cache holds, and no cells: llama.cpp leaves the cells of a sequence
 * alone where a state has none. The binding then compares these tokens with the prompt, and removes what does not match.
 *
 * Requests are handed to the binding one at a time, because the state must tell what the cache holds when the request starts.
 *
 * It is not used where it would need more than the binding gives:
 *
 * - With several slots, the binding takes the slot that has been free for longest (`get_available_slot` in rn-slot-manager.cpp)
 *   and does not report which. A wrong guess would continue the chat of another client.
 * - The state of recurrent layers is removed before an empty one is read (`state_read_meta` in llama-memory-recurrent.cpp). A
 *   state with its values is a copy, for which the footprint has no memory; the copy would also hold the cells of attention layers.
 */
export class CachedQueue implements RequestQueue {
  readonly #context: LlamaContext;
  readonly #waiting: Request[] = [];
  #running: Running | null = null;
  /** The cache holds these tokens, and possibly more behind them. Null: not known. */
  #held: HeldTokens | null = null;
  #lastId = 0;

  constructor(context: LlamaContext) {
    this.#context = context;
  }

  /** Finds the last answer in the prompt of a request that is to follow, so that the request does not compute it again. */
  async prepareFor(promptIds: Int32Array): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    const known = await recognizeAnswer(held, promptIds, {
      detokenize: (tokens) => this.#context.detokenize(tokens),
    });
    // Another request may have started meanwhile.
    if (this.#held === held) this.#held = known;
  }

  queueCompletion(
    options: CompletionOptions,
    callback: Callback,
    promptIds: Int32Array | null,
  ): { readonly requestId: number } {
    this.#lastId += 1;
    const request = { requestId: this.#lastId, options, callback, promptIds };
    if (this.#running === null) this.#start(request);
    else this.#waiting.push(request);
    return { requestId: request.requestId };
  }

  queueEmbedding(...input: Parameters<LlamaContext['queueEmbedding']>): {
    readonly requestId: number;
  } {
    return this.#context.queueEmbedding(...input);
  }

  cancelRequest(requestId: number): void {
    const at = this.#waiting.findIndex((request) => request.requestId === requestId);
    if (at !== -1) this.#waiting.splice(at, 1);
    const running = this.#running;
    if (running?.request.requestId !== requestId) return;
    // Until the first token, how much more of the prompt the cache holds is not known.
    const generates = this.#statusOf(running)?.state === 'generating';
    this.#context.cancelRequest(running.nativeId);
    const { promptIds } = running.request;
    this.#end(heldTokens(generates && promptIds !== null ? promptIds : running.shared));
  }

  getParallelStatus(): { readonly requests: readonly RequestStatus[] } {
    const status = this.#running === null ? undefined : this.#statusOf(this.#running);
    return {
      requests: [
        ...(status === undefined ? [] : [status]),
        ...this.#waiting.map(({ requestId }) => ({
          request_id: requestId,
          state: 'queued' as const,
          tokens_generated: 0,
        })),
      ],
    };
  }

  #statusOf({ request, nativeId, state }: Running): RequestStatus | undefined {
    const status = this.#context
      .getParallelStatus()
      .requests.find(({ request_id: id }) => id === nativeId);
    if (status === undefined) return undefined;
    // The binding has read the state before it begins with the prompt. OpenRequests asks once a second.
    if (status.state !== 'queued') state?.remove();
    return { ...status, request_id: request.requestId };
  }

  /** @throws the binding's error where it refuses the request at once */
  #start(request: Request): void {
    const shared = sharedTokens(this.#held?.ids ?? null, request.promptIds);
    this.#held = null;
    const state = shared.length === 0 ? null : writeSlotState(shared);
    try {
      this.#submit(request, state, state === null ? NO_TOKENS : shared);
    } catch (error) {
      state?.remove();
      throw error;
    }
  }

  #submit(request: Request, state: SlotState | null, shared: Int32Array): void {
    const options =
      state === null ? request.options : { ...request.options, load_state_path: state.file };
    const pieces: string[] = [];
    const { requestId: nativeId } = this.#context.queueCompletion(options, (error, report) => {
      state?.remove();
      if (this.#running?.nativeId !== nativeId) return;
      const hasFailed = error !== null && error !== undefined;
      if (!hasFailed && report.token !== undefined) {
        pieces.push(report.token);
        request.callback(error, report);
      } else if (!hasFailed && state !== null && refusedState(report)) {
        this.#submit(request, null, NO_TOKENS);
      } else {
        this.#end(hasFailed ? null : heldAfter(request, report, pieces));
        request.callback(error, report);
      }
    });
    this.#running = { request, nativeId, state, shared };
  }

  #end(held: HeldTokens | null): void {
    this.#running?.state?.remove();
    this.#running = null;
    this.#held = held;
    // The callback of the request that ends runs first, and so does the code of a client that leaves.
    queueMicrotask(() => this.#startNext());
  }

  #startNext(): void {
    if (this.#running !== null) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      this.#start(next);
    } catch (error) {
      next.callback(error, { token: '' });
      this.#startNext();
    }
  }
}

const NO_TOKENS = new Int32Array();

/** The tokens at the start that both have. */
function sharedTokens(held: Int32Array | null, prompt: Int32Array | null): Int32Array {
  if (held === null || prompt === null) return NO_TOKENS;
  const end = Math.min(held.length, prompt.length);
  let length = 0;
  while (length < end && held[length] === prompt[length]) length += 1;
  return prompt.subarray(0, length);
}

/** The binding ends a request whose state it cannot load at once, without a reason. */
function refusedState(report: CompletionReport | TokenReport): boolean {
  if (report.token !== undefined) return false;
  return !hasEndReason(report) && report.timings.prompt_n === 0 && report.tokens_predicted === 0;
}

/** What the cache holds after a request; null where the request failed, or where the binding saw another prompt. */
function heldAfter(
  { promptIds }: Request,
  report: CompletionReport | TokenReport,
  pieces: readonly string[],
): HeldTokens | null {
  if (report.token !== undefined || promptIds === null) return null;
  const seen = report.timings.prompt_n + report.timings.cache_n;
  if (!hasEndReason(report) || seen !== promptIds.length) return null;
  return heldTokens(promptIds, { text: report.text, tokens: report.tokens_predicted, pieces });
}
