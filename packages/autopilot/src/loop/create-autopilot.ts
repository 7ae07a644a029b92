import type { RunningLock } from '../journal/running-lock.js';
import type { AutopilotEvent, PublishedEvent } from '../events/autopilot-event.js';
import { AutopilotLoop } from './autopilot-loop.js';
import { completeOptions, type AutopilotOptions } from '../autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { createEventHub } from '../events/event-hub.js';
import type { LeaseRequest } from '../request/lease-request.js';
import type { AcquireResult } from '../leases/lease.js';
import type { LeasePlan } from './plan-request.js';
import { unloadAtStop } from './unload-at-stop.js';

/**
 * How many unread events are kept for each reader. A round publishes a few events, so a reader with more
 * unread events has stopped reading.
 */
const EVENTS_BEHIND_MAX = 1024;

/** Keeps the right model loaded from `start` to `stop`. */
export interface Autopilot extends AsyncDisposable {
  /**
   * Starts the rounds. Does nothing when they run already.
   *
   * @throws the errors of the lock, unchanged: AutopilotError `ALREADY_RUNNING`, for example.
   */
  start(): Promise<void>;
  /**
   * Cancels the switch under way; a load that is cancelled leaves no instance. With `idle: 'keep'`, our
   * instances are then unloaded, except those that are pinned or stay busy. With `unloadAtStop: false`, all of
   * them stay loaded. Resolves when no timer and no listener is left.
   */
  stop(): Promise<void>;
  readonly state: AutopilotState;
  /** The events from the start of the iteration to the stop. Each reader gets all of them. */
  readonly events: AsyncIterable<AutopilotEvent>;
  /**
   * Resolves to a lease on a resident model that meets the request, after loading such a model if necessary. If
   * no such model can be loaded soon, it resolves to the decision, which says why. Where other programs have just taken the memory
   * for it, the caller first waits up to 20 s for that memory.
   *
   * Callers with different targets take turns, also with the autopilot's own decisions.
   *
   * @throws AutopilotError `MODEL_NOT_FOUND`, the signal's reason, or an `AbortError` when the autopilot stops. Where a port has failed in
   *   each round for 2 s, the error of the port, such as that of a runtime that does not answer
   */
  acquire(
    request: LeaseRequest,
    options?: { readonly signal?: AbortSignal | null },
  ): Promise<AcquireResult>;
  /**
   * Call right before and after an unload that is not the autopilot's own. The instances get no further lease until the runtime has
   * listed its residents again, which the next round does at once: LM Studio would answer a request for an instance that is gone from
   * another model (lmstudio-bug-tracker #619).
   */
  leaving(instanceIdentifiers: readonly string[]): void;
  /**
   * The decision for a request if it were made now. Loads and unloads nothing.
   *
   * @throws the errors of the ports, unchanged, and the signal's reason.
   */
  plan(
    request: LeaseRequest,
    options?: { readonly signal?: AbortSignal | null },
  ): Promise<LeasePlan>;
}

/** Creates an autopilot that has not started. It uses no port before `start`. */
export function createAutopilot(options: AutopilotOptions): Autopilot {
  const settings = completeOptions(options);
  const { clock } = settings;
  let hub = createEventHub<AutopilotEvent>(EVENTS_BEHIND_MAX);
  const publish = (event: PublishedEvent): void => {
    if (hub.hasReaders) hub.publish({ atMs: clock.nowMs(), ...event });
  };
  let loop = new AutopilotLoop(settings, publish);
  let run: Run | null = null;
  let stopping: Promise<void> | null = null;

  const start = async (): Promise<void> => {
    await stopping;
    if (run !== null) return run.ready;
    const begun = begin();
    run = begun;
    await begun.ready;
  };

  const begin = (): Run => {
    const controller = new AbortController();
    const own = loop;
    const ready = (settings.lock?.() ?? Promise.resolve(null)).then(
      (lock) => {
        lock?.lost.addEventListener('abort', onLost, { once: true });
        publish({ type: 'started' });
        return lock;
      },
      (error: unknown) => {
        run = null;
        throw error;
      },
    );
    const onLost = (): void => {
      void stop();
    };
    const ended = ready.then(
      () =>
        own.run(controller.signal).catch(() => {
          // The loop rejects only when the signal fires. Faults are published as events.
        }),
      () => undefined,
    );
    return { controller, ready: ready.then(() => undefined), lock: ready, ended, onLost };
  };

  const stop = (): Promise<void> => {
    if (stopping !== null) return stopping;
    if (run === null) return Promise.resolve();
    stopping = end(run).finally(() => {
      stopping = null;
      run = null;
    });
    return stopping;
  };

  const end = async ({ controller, lock, ended, onLost }: Run): Promise<void> => {
    const reason = new DOMException('The autopilot stops.', 'AbortError');
    controller.abort(reason);
    await ended;
    const held: RunningLock | null = await lock.catch(() => null);
    const lost = held?.lost.aborted === true;
    held?.lost.removeEventListener('abort', onLost);
    const pinned = [
      ...(settings.request.pinned ?? []),
      ...loop.state.pins.map((pin) => pin.target),
    ];
    // After the lock was lost, the instances belong to the process that took the lock.
    if (settings.idle === 'keep' && settings.unloadAtStop && !settings.dryRun && !lost) {
      const isLeased = (identifier: string): boolean => loop.leases.isLeased(identifier);
      await unloadAtStop(settings, { pinned, isLeased, publish });
    }
    loop.leases.close(reason);
    try {
      await held?.release();
    } catch (error) {
      // The lock ends with this process: the next one takes over a lock whose holder is gone.
      publish({ type: 'fault', error, retryAtMs: clock.nowMs() });
    }
    await settings.decisionLog?.flushed();
    publish({ type: 'stopped' });
    hub.close();
    hub = createEventHub<AutopilotEvent>(EVENTS_BEHIND_MAX);
    loop = new AutopilotLoop(settings, publish);
  };

  const acquire: Autopilot['acquire'] = (request, { signal = null } = {}) => {
    if (run === null || stopping !== null) {
      return Promise.reject(
        new DOMException('The autopilot is not running. Start it first.', 'AbortError'),
      );
    }
    return loop.leases.acquire(request, signal);
  };

  return {
    start,
    stop,
    acquire,
    leaving: (instanceIdentifiers) => {
      loop.leases.leave(instanceIdentifiers);
      loop.wake();
    },
    plan: async (request, { signal = null } = {}) => {
      signal?.throwIfAborted();
      return loop.plan(request, signal);
    },
    get state(): AutopilotState {
      const status =
        stopping !== null
          ? 'stopping'
          : run === null
            ? 'stopped'
            : loop.switching
              ? 'switching'
              : 'running';
      return { status, ...loop.state };
    },
    events: { [Symbol.asyncIterator]: () => hub.subscribe() },
    [Symbol.asyncDispose]: stop,
  };
}

/** The state between a start and its stop. */
interface Run {
  readonly controller: AbortController;
  readonly ready: Promise<void>;
  readonly lock: Promise<RunningLock | null>;
  readonly ended: Promise<void>;
  readonly onLost: () => void;
}
