import { isBusy } from '../assemble/build-residents.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { EmitRunEvent } from './run-event.js';

/** How long a drain waits and how often it looks. */
export interface DrainOptions {
  /** Since the wait began; asked again at every look, because an emergency shortens it. */
  readonly deadlineMs: () => number;
  readonly pollMs: number;
}

/** What a wait needs besides the ports. */
export interface DrainContext extends DrainOptions {
  readonly isLeased: (instanceIdentifier: string) => boolean;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
}

/**
 * Waits until none of the instances is busy, or the deadline. Resolves to the ones that are resident
 * now, each with whether it is busy; the list is as fresh as the runtime's last answer.
 */
export async function drainUntilIdle(
  ports: AutopilotPorts,
  instanceIdentifiers: readonly string[],
  context: DrainContext,
): Promise<{ readonly instance: RuntimeInstance; readonly busy: boolean }[]> {
  const { clock } = ports;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const present = (await ports.runtime.listResidents(callOptions(context.signal, null)))
      .filter((one) => instanceIdentifiers.includes(one.instanceIdentifier))
      .map((instance) => ({
        instance,
        busy: context.isLeased(instance.instanceIdentifier) || isBusy(instance, clock.nowMs()),
      }));
    const busy = present.find((one) => one.busy);
    const waitedMs = clock.monotonicMs() - startedMs;
    const deadlineMs = context.deadlineMs();
    const leftMs = deadlineMs - waitedMs;
    if (busy === undefined || leftMs <= 0) return present;
    context.emit({
      type: 'draining',
      instanceIdentifier: busy.instance.instanceIdentifier,
      modelKey: busy.instance.modelKey,
      waitedMs,
      deadlineMs,
    });
    await clock.sleep(Math.min(context.pollMs, leftMs), { signal: context.signal });
  }
}
