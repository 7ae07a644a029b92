import type { Connection } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import { DEFAULT_LOAD_CONFIG } from '../models/model-types.js';
import { asRejection } from '../timers.js';
import type { LoadRequest, LoadResult, NormalizedLoad } from './load-types.js';
import type { Doubtful } from './load-once.js';

const DEFAULT_LOAD_TIMEOUT_MS = 10 * 60_000;

/** Carries one load through; `loadOnce`, or a fake. */
export type RunLoad = (
  load: NormalizedLoad,
  doubtful: Doubtful,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
) => Promise<LoadResult>;

/** One load and those who wait for it. */
interface Flight {
  readonly controller: AbortController;
  readonly promise: Promise<LoadResult>;
  readonly listeners: Set<(ratio: number) => void>;
  callers: number;
  started: boolean;
  ratio: number;
}

/**
 * One load at a time per device, because concurrent loads can abort each other (and concurrent loads
 * of one model make several copies). Callers who ask for the same thing share one load; it is
 * cancelled when the last of them has left, and the last one only leaves once nothing is left behind.
 */
export class LoadCoordinator {
  readonly #flights = new Map<string, Flight>();
  readonly #lanes = new Map<string, Promise<unknown>>();
  /** Loads that may still complete; the next load looks for them. */
  readonly #doubtful: Doubtful = new Set();

  constructor(
    private readonly connection: Pick<Connection, 'timers' | 'address'>,
    private readonly run: RunLoad,
  ) {}

  async load(request: LoadRequest): Promise<LoadResult> {
    const { signal, onProgress } = request;
    signal?.throwIfAborted();
    const load = normalize(request);
    const key = JSON.stringify(load, (_, value: unknown) => (value === undefined ? 'any' : value));
    const flight = this.#join(key, load);
    if (onProgress !== undefined) {
      flight.listeners.add(onProgress);
      if (flight.ratio > 0) notify(onProgress, flight.ratio);
    }
    try {
      return await this.#wait(flight, load, request);
    } finally {
      if (onProgress !== undefined) flight.listeners.delete(onProgress);
    }
  }

  /** Waits until nothing is under way; used when the client closes. */
  async cancelAll(reason: unknown): Promise<void> {
    const flights = [...this.#flights.values()];
    for (const { controller } of flights) controller.abort(reason);
    await Promise.allSettled(flights.map(({ promise }) => promise));
  }

  #join(key: string, load: NormalizedLoad): Flight {
    const running = this.#flights.get(key);
    if (running !== undefined && !running.controller.signal.aborted) {
      running.callers += 1;
      return running;
    }
    const controller = new AbortController();
    const lane = load.deviceIdentifier ?? '';
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const promise = before.then(() => {
      controller.signal.throwIfAborted();
      flight.started = true;
      return this.run(load, this.#doubtful, controller.signal, (ratio) => advance(flight, ratio));
    });
    const flight: Flight = {
      controller,
      promise,
      listeners: new Set(),
      callers: 1,
      started: false,
      ratio: 0,
    };
    this.#flights.set(key, flight);
    const done = promise.then(
      () => undefined,
      () => undefined,
    );
    this.#lanes.set(lane, done);
    void done.then(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      if (this.#lanes.get(lane) === done) this.#lanes.delete(lane);
    });
    return flight;
  }

  #wait(flight: Flight, load: NormalizedLoad, request: LoadRequest): Promise<LoadResult> {
    const { signal } = request;
    const timeoutMs = request.timeoutMs ?? DEFAULT_LOAD_TIMEOUT_MS;
    return new Promise<LoadResult>((resolve, reject) => {
      const detach = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const leave = (reason: () => unknown): void => {
        detach();
        flight.callers -= 1;
        if (flight.callers > 0) return reject(asRejection(reason()));
        flight.controller.abort(reason());
        // Nothing was begun, so there is nothing to clean up, however long the lane is.
        if (!flight.started) return reject(asRejection(reason()));
        // Resolved: it was loaded by the time the cancellation came.
        flight.promise.then(resolve, () => reject(reason() as Error));
      };
      const onAbort = (): void => leave(() => signal?.reason as unknown);
      const cancelTimer = this.connection.timers.after(timeoutMs, () =>
        leave(() => this.#timedOut(load, timeoutMs)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      flight.promise.then(
        (result) => {
          detach();
          resolve(result);
        },
        (error: unknown) => {
          detach();
          reject(asRejection(error));
        },
      );
    });
  }

  #timedOut(load: NormalizedLoad, timeoutMs: number): LMStudioError {
    const uncertain = this.#doubtful.has(load.identifier);
    return new LMStudioError(
      'LOAD_TIMED_OUT',
      `${load.modelKey} was not loaded within ${Math.round(timeoutMs / 100) / 10} s, so the load was cancelled.${uncertain ? ' LM Studio has not confirmed that; check with `lms ps`.' : ''} Allow more time, or choose a smaller model.`,
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
    ttlMs: request.ttlMs ?? null,
    kind: request.kind ?? null,
    keepModelInMemory: request.keepModelInMemory ?? null,
    deviceIdentifier: request.deviceIdentifier,
    checkGuardrails: request.checkGuardrails ?? true,
  };
}

function advance(flight: Flight, ratio: number): void {
  if (!(ratio > flight.ratio) && !(ratio === 0 && flight.ratio === 0)) return;
  flight.ratio = Math.min(1, ratio);
  for (const listener of flight.listeners) notify(listener, flight.ratio);
}

/** A listener that throws must not end the load of the others. */
function notify(listener: (ratio: number) => void, ratio: number): void {
  try {
    listener(ratio);
  } catch {
    // The caller's own fault; documented as ignored.
  }
}
