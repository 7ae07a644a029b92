import { checkRange, DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { LMStudioError } from '../errors.js';
import { notify } from '../notify.js';
import type { Connection } from '../wire/connection.js';
import type { LoadRequest, LoadResult, NormalizedLoad } from './load-types.js';
import type { UnconfirmedLoads } from './unconfirmed-loads.js';

const DEFAULT_LOAD_TIMEOUT_MS = 10 * 60_000;

/** Carries out one load: `loadOnce`, or a fake in tests. */
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
 * Runs one load at a time on each device, because LM Studio may abort concurrent loads, and concurrent loads of one
 * model make several copies. Callers with equal requests share a load. The load is cancelled when its last caller
 * leaves. This caller waits for the clean-up.
 */
export class LoadCoordinator {
  readonly #loads = new Map<string, SharedLoad>();
  /** The promise of the last load, by device. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(
    private readonly connection: Pick<Connection, 'timers' | 'address'>,
    private readonly unconfirmed: Pick<UnconfirmedLoads, 'has'>,
    private readonly run: RunLoad,
  ) {}

  /** Joins the load of an equal request, or queues a new one. */
  async load(request: LoadRequest): Promise<LoadResult> {
    const { signal, onProgress, timeoutMs = DEFAULT_LOAD_TIMEOUT_MS } = request;
    checkRange('timeoutMs', timeoutMs, 0);
    signal?.throwIfAborted();
    const load = normalize(request);
    const key = JSON.stringify(load, (_, value: unknown) => (value === undefined ? 'any' : value));
    const shared = this.#join(key, load);
    if (onProgress !== undefined) {
      shared.listeners.add(onProgress);
      if (shared.ratio > 0) notify(onProgress, shared.ratio);
    }
    try {
      return await this.#wait(shared, load, request);
    } finally {
      if (onProgress !== undefined) shared.listeners.delete(onProgress);
    }
  }

  /** Cancels every load and waits until all have been cleaned up. */
  async cancelAll(reason: unknown): Promise<void> {
    const loads = [...this.#loads.values()];
    for (const { controller } of loads) controller.abort(reason);
    await Promise.allSettled(loads.map(({ promise }) => promise));
  }

  #join(key: string, load: NormalizedLoad): SharedLoad {
    const running = this.#loads.get(key);
    if (running !== undefined && !running.controller.signal.aborted) {
      running.callers += 1;
      return running;
    }
    const controller = new AbortController();
    const device = load.deviceIdentifier ?? '';
    const before = this.#queues.get(device) ?? Promise.resolve();
    const promise = before.then(() => {
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
    const done = promise.then(
      () => undefined,
      () => undefined,
    );
    this.#queues.set(device, done);
    void done.then(() => {
      if (this.#loads.get(key) === shared) this.#loads.delete(key);
      if (this.#queues.get(device) === done) this.#queues.delete(device);
    });
    return shared;
  }

  /** Settles with the load, or when this caller's deadline ends or its signal aborts. */
  #wait(shared: SharedLoad, load: NormalizedLoad, request: LoadRequest): Promise<LoadResult> {
    const { signal } = request;
    const timeoutMs = request.timeoutMs ?? DEFAULT_LOAD_TIMEOUT_MS;
    return new Promise<LoadResult>((resolve, reject) => {
      const detach = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      // Called after the clean-up, when it is known whether LM Studio has confirmed the end.
      let whyLeft: (() => unknown) | null = null;
      const leave = (reason: () => unknown): void => {
        detach();
        shared.callers -= 1;
        if (shared.callers > 0) return reject(reason());
        shared.controller.abort(reason());
        // A load that has not started needs no clean-up, so this caller need not wait for it.
        if (!shared.started) return reject(reason());
        whyLeft = reason;
      };
      const onAbort = (): void => leave((): unknown => signal?.reason);
      const cancelTimer = this.connection.timers.after(timeoutMs, () =>
        leave(() => this.#timedOut(load, timeoutMs)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      shared.promise.then(
        // A load that completed before the cancellation reached LM Studio resolves, too.
        (result) => {
          detach();
          resolve(result);
        },
        (error: unknown) => {
          detach();
          reject(whyLeft === null ? error : whyLeft());
        },
      );
    });
  }

  #timedOut(load: NormalizedLoad, timeoutMs: number): LMStudioError {
    const uncertain = this.unconfirmed.has(load.identifier);
    return new LMStudioError(
      'LOAD_TIMED_OUT',
      `${load.modelKey} was not loaded within ${Math.round(timeoutMs / 100) / 10} s, so the load was cancelled.${uncertain ? " LM Studio has not confirmed the cancellation. Check with 'lms ps'." : ''} Allow more time, or choose a smaller model.`,
      {
        baseUrl: this.connection.address.webSocketUrl,
        modelKey: load.modelKey,
        instanceIdentifier: load.identifier,
        uncertain,
      },
    );
  }
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
    deviceIdentifier: request.deviceIdentifier,
    checkGuardrails: request.checkGuardrails ?? true,
  };
}

/** Reports progress only when it has grown, and reports an initial 0. */
function advance(shared: SharedLoad, ratio: number): void {
  if (!(ratio > shared.ratio) && !(ratio === 0 && shared.ratio === 0)) return;
  shared.ratio = Math.min(1, ratio);
  for (const listener of shared.listeners) notify(listener, shared.ratio);
}
