import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { drainUntilIdle, type DrainContext } from './drain-until-idle.js';
import { errorCode } from './load-failure.js';

/** `busy`: or pinned meanwhile. `gone`: it was no longer there, or another model now answers to its identifier. */
export type DrainOutcome =
  | { readonly kind: 'unloaded'; readonly instance: RuntimeInstance; readonly forced: boolean }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy' };

/** The instance to unload. */
interface UnloadTask extends DrainContext {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** Unload at the deadline even when it is busy: memory is about to run out. */
  readonly force: () => boolean;
  /** Not even then. */
  readonly isPinned: (instance: RuntimeInstance) => boolean;
}

/**
 * Waits until the instance is idle with an empty queue, then unloads it. Its state is asked again
 * immediately before the unload; a request that arrives between that answer and the unload can't be
 * seen through LM Studio's protocol.
 */
export async function drainAndUnload(
  ports: AutopilotPorts,
  task: UnloadTask,
): Promise<DrainOutcome> {
  const { instanceIdentifier, modelKey } = task;
  const [found] = await drainUntilIdle(ports, [instanceIdentifier], task);
  if (found?.instance.modelKey !== modelKey) return { kind: 'gone' };
  if ((found.busy && !task.force()) || task.isPinned(found.instance)) return { kind: 'busy' };
  const startedMs = ports.clock.monotonicMs();
  task.emit({ type: 'unloading', instanceIdentifier, modelKey, forced: found.busy });
  try {
    await ports.runtime.unload(instanceIdentifier, callOptions(task.signal, null));
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
