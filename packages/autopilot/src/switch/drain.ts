import { isBusy } from '../instances/instance-state.js';
import { errorCode } from '../autopilot-error.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { EmitRunEvent } from './report/run-event.js';

/** How long a drain waits and how often it polls. */
export interface DrainOptions {
  /** Milliseconds from the start of the drain. Read at every poll, because an emergency shortens it. */
  readonly deadlineMs: () => number;
  readonly pollMs: number;
}

/** The options of a drain, and the receiver of its events. */
export interface DrainContext extends DrainOptions {
  readonly isLeased: (instanceIdentifier: string) => boolean;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
}

/** A resident and whether requests run or wait on it. */
interface Polled {
  readonly instance: RuntimeInstance;
  readonly busy: boolean;
}

/**
 * Waits until no instance is busy, or until the deadline. Resolves to the instances in the last listing of
 * the runtime.
 */
export async function drainUntilIdle(
  ports: AutopilotPorts,
  instanceIdentifiers: readonly string[],
  context: DrainContext,
): Promise<readonly Polled[]> {
  const { clock } = ports;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const present = (await ports.runtime.listResidents(callOptions(context.signal, null)))
      .filter((one) => instanceIdentifiers.includes(one.instanceIdentifier))
      .map((instance) => ({
        instance,
        busy: context.isLeased(instance.instanceIdentifier) || isBusy(instance, clock.nowMs()),
      }));
    const busy = present.filter((one) => one.busy);
    const waitedMs = clock.monotonicMs() - startedMs;
    const deadlineMs = context.deadlineMs();
    const leftMs = deadlineMs - waitedMs;
    if (busy.length === 0 || leftMs <= 0) return present;
    // Report every busy instance at each poll. They share one deadline, and nobody may send new requests to any of them meanwhile.
    for (const { instance } of busy) {
      const { instanceIdentifier, modelKey } = instance;
      context.emit({ type: 'draining', instanceIdentifier, modelKey, waitedMs, deadlineMs });
    }
    await clock.sleep(Math.min(context.pollMs, leftMs), { signal: context.signal });
  }
}

/** The instance to unload. */
interface UnloadTask extends DrainContext {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** Whether an instance that is busy at the deadline is unloaded anyway. */
  readonly force: () => boolean;
  /** Ends the unload itself. `signal` ends the drain before it: an unload that has begun is carried out. */
  readonly unloadSignal: AbortSignal | null;
  /** A pinned instance is not unloaded, even when forced. */
  readonly isPinned: (instance: RuntimeInstance) => boolean;
}

/**
 * The result of `drainAndUnload`.
 *
 * - `unloaded`: the instance was unloaded. `forced` says whether it was busy then.
 * - `gone`: the instance was no longer resident, or another model has its identifier.
 * - `busy`: the instance stays. It was busy at the deadline, or was pinned meanwhile.
 */
export type DrainOutcome =
  | { readonly kind: 'unloaded'; readonly instance: RuntimeInstance; readonly forced: boolean }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy' };

/**
 * Drains an instance and unloads it. Its activity is read immediately before the unload. A request that
 * arrives in between is lost: LM Studio's protocol has no 'unload if idle'.
 */
export async function drainAndUnload(
  ports: AutopilotPorts,
  task: UnloadTask,
): Promise<DrainOutcome> {
  const { instanceIdentifier, modelKey } = task;
  const [found] = await drainUntilIdle(ports, [instanceIdentifier], task);
  if (found?.instance.modelKey !== modelKey) return { kind: 'gone' };
  if ((found.busy && !task.force()) || task.isPinned(found.instance)) return { kind: 'busy' };
  task.signal?.throwIfAborted();
  const startedMs = ports.clock.monotonicMs();
  task.emit({ type: 'unloading', instanceIdentifier, modelKey, forced: found.busy });
  try {
    await ports.runtime.unload(instanceIdentifier, callOptions(task.unloadSignal, null));
  } catch (error) {
    if (errorCode(error) !== 'INSTANCE_NOT_FOUND') throw error;
    return { kind: 'gone' };
  }
  task.emit({
    type: 'unloaded',
    instanceIdentifier,
    modelKey,
    tookMs: ports.clock.monotonicMs() - startedMs,
  });
  return { kind: 'unloaded', instance: found.instance, forced: found.busy };
}
