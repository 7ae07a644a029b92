import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { LlamaRuntimeError } from '../errors.js';
import { LONGEST_TIMER_MS } from '../longest-timer.js';
import { notify } from '../notify.js';
import type { LoadRequest, LoadResult, NormalizedLoad } from './load-types.js';

const DEFAULT_LOAD_TIMEOUT_MS = 10 * 60_000;

/** Carries out one load. */
export type RunLoad = (
  load: NormalizedLoad,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
) => Promise<LoadResult>;

/** One load and the callers that wait for it. */
interface SharedLoad {
  readonly controller: AbortController;
  readonly promise: Promise<LoadResult>;
  readonly listeners: Set<(ratio: number) => void>;
  callers: number;
  started: boolean;
  ratio: number;
}

/**
 * Runs one load at a time, because two loads at once could need more memory than is free. Callers with equal
 * requests share a load. The load is cancelled when its last caller leaves. This caller waits until the child process
 * is gone.
 */
export class LoadQueue {
  readonly #loads = new Map<string, SharedLoad>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly run: RunLoad) {}

  /** Joins the load of an equal request, or queues a new one. */
  async load(request: LoadRequest): Promise<LoadResult> {
    const { signal, onProgress } = request;
    signal?.throwIfAborted();
    const shared = this.#join(normalize(request));
    if (onProgress !== undefined) {
      shared.listeners.add(onProgress);
      if (shared.ratio > 0) notify(onProgress, shared.ratio);
    }
    try {
      return await this.#wait(shared, request);
    } finally {
      if (onProgress !== undefined) shared.listeners.delete(onProgress);
    }
  }

  /** Cancels every load and waits until all their processes are gone. */
  async cancelAll(reason: unknown): Promise<void> {
    const loads = [...this.#loads.values()];
    for (const { controller } of loads) controller.abort(reason);
    await Promise.allSettled(loads.map(({ promise }) => promise));
  }

  #join(load: NormalizedLoad): SharedLoad {
    const key = JSON.stringify(load);
    const running = this.#loads.get(key);
    if (running !== undefined && !running.controller.signal.aborted) {
      running.callers += 1;
      return running;
    }
    const controller = new AbortController();
    const promise = this.#last.then(() => {
      controller.signal.throwIfAborted();
      shared.started = true;
      return this.run(load, controller.signal, (ratio) => advance(shared, ratio));
    });
    const shared: SharedLoad = {
      controller,
      promise,
      listeners: new Set(),
      callers: 1,
      started: false,
      ratio: 0,
    };
    this.#loads.set(key, shared);
    const forget = (): void => {
      if (this.#loads.get(key) === shared) this.#loads.delete(key);
    };
    this.#last = promise.then(forget, forget);
    return shared;
  }

  /** Settles with the load, or when this caller's deadline ends or its signal aborts. */
  #wait(shared: SharedLoad, request: LoadRequest): Promise<LoadResult> {
    const { signal } = request;
    const timeoutMs = request.timeoutMs ?? DEFAULT_LOAD_TIMEOUT_MS;
    return new Promise<LoadResult>((resolve, reject) => {
      const detach = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      let whyLeft: { readonly reason: unknown } | null = null;
      const leave = (reason: unknown): void => {
        detach();
        shared.callers -= 1;
        if (shared.callers > 0) return reject(reason);
        shared.controller.abort(reason);
        // A load that has not started has no process, so this caller need not wait for it.
        if (!shared.started) return reject(reason);
        whyLeft = { reason };
      };
      const onAbort = (): void => leave(signal?.reason);
      const timer = setTimeout(
        () => leave(timedOut(request, timeoutMs)),
        Math.min(timeoutMs, LONGEST_TIMER_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      shared.promise.then(
        // A load that completed before its cancellation resolves, too.
        (result) => {
          detach();
          resolve(result);
        },
        (error: unknown) => {
          detach();
          reject(whyLeft === null ? error : whyLeft.reason);
        },
      );
    });
  }
}

function timedOut({ modelKey, identifier }: LoadRequest, timeoutMs: number): LlamaRuntimeError {
  return new LlamaRuntimeError(
    'LOAD_TIMED_OUT',
    `${modelKey} was not loaded within ${Math.round(timeoutMs / 100) / 10} s, so the load was cancelled. Allow more time, or choose a smaller model.`,
    { modelKey, instanceIdentifier: identifier ?? modelKey },
  );
}

function normalize(request: LoadRequest): NormalizedLoad {
  const named = request.identifier != null && request.identifier !== '';
  return {
    modelKey: request.modelKey,
    loadConfig: { ...DEFAULT_LOAD_CONFIG, ...request.loadConfig },
    identifier: named ? (request.identifier ?? request.modelKey) : request.modelKey,
    named,
    reuse: request.reuse ?? !named,
    ttlMs: request.ttlMs ?? null,
    kind: request.kind ?? null,
    keepModelInMemory: request.keepModelInMemory ?? null,
    deviceIdentifier: request.deviceIdentifier ?? null,
    checkGuardrails: request.checkGuardrails ?? true,
  };
}

/** Reports progress only when it has grown, and reports an initial 0. */
function advance(shared: SharedLoad, ratio: number): void {
  if (!(ratio > shared.ratio) && !(ratio === 0 && shared.ratio === 0)) return;
  shared.ratio = Math.min(1, ratio);
  for (const listener of shared.listeners) notify(listener, shared.ratio);
}
