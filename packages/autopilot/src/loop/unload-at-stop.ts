import type { AutopilotSettings } from '../autopilot-options.js';
import type { PublishedEvent } from '../events/autopilot-event.js';
import { isForeign } from '../instances/ownership.js';
import { callOptions } from '../ports/call-options.js';
import { drainAndUnload } from '../switch/drain.js';

/**
 * Unloads our instances when the autopilot stops, except those that are pinned. All of them share the time of `stopDrainMs` to
 * finish their requests, and those that are still busy then stay loaded. Publishes what stays, and a fault of the runtime.
 */
export async function unloadAtStop(
  settings: AutopilotSettings,
  {
    pinned,
    isLeased,
    publish,
  }: {
    /** Instance identifiers and model keys. */
    readonly pinned: readonly string[];
    readonly isLeased: (instanceIdentifier: string) => boolean;
    readonly publish: (event: PublishedEvent) => void;
  },
): Promise<void> {
  const { clock, timings, request } = settings;
  try {
    const present = await settings.runtime.listResidents(callOptions(null, null));
    const ours = present.filter(
      (one) => !isForeign(one) && one.deviceIdentifier === (request.deviceIdentifier ?? null),
    );
    const startedMs = clock.monotonicMs();
    for (const { instanceIdentifier, modelKey } of ours) {
      if (pinned.includes(instanceIdentifier) || pinned.includes(modelKey)) {
        publish({ type: 'left-loaded', instanceIdentifier, why: 'pinned' });
        continue;
      }
      const leftMs = Math.max(0, timings.stopDrainMs - (clock.monotonicMs() - startedMs));
      const outcome = await drainAndUnload(settings, {
        instanceIdentifier,
        modelKey,
        deadlineMs: () => leftMs,
        pollMs: timings.drainPollMs,
        force: () => false,
        isLeased,
        isPinned: () => false,
        emit: (event) => {
          if (event.type !== 'decided') publish({ type: 'switch-step', step: event });
        },
        signal: null,
        unloadSignal: null,
      });
      if (outcome.kind === 'busy') {
        publish({ type: 'left-loaded', instanceIdentifier, why: 'busy' });
      }
    }
  } catch (error) {
    // The runtime is out of reach. The next start recognises our instances by their identifiers.
    publish({ type: 'fault', error, retryAtMs: clock.nowMs() });
  }
}
