import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { poolsOverHardLimit } from '../switch/hard-limit.js';
import type { AutopilotTimings } from './autopilot-options.js';

/** Over this share of a pool in use memory runs out at the next step that others take. */
const CRITICAL_RATIO = 0.98;

/** Watches memory while a switch is under way. */
export interface EmergencyGuard {
  /** For the drains of the switch. */
  readonly deadlineMs: () => number;
  readonly force: () => boolean;
  /** Since when memory has been over the hard limit; null while it is not. */
  readonly overSinceMs: () => number | null;
  /** Ends the watch; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/**
 * Starts to watch.
 *
 * @param overSinceMs - since when memory has been over the hard limit already; null where it is not.
 * @param onOverLimit - called at every look that finds a pool over its hard limit.
 */
export function startEmergencyGuard(
  ports: AutopilotPorts,
  options: {
    readonly policy: SelectionPolicy;
    readonly timings: AutopilotTimings;
    readonly watch: boolean;
    readonly overSinceMs: number | null;
    readonly onOverLimit: (pools: readonly string[]) => void;
  },
): EmergencyGuard {
  const { clock } = ports;
  const { policy, timings } = options;
  const stop = new AbortController();
  let sinceMs = options.overSinceMs;
  let criticalSinceMs: number | null = null;
  let lastLeft: number | null = null;

  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await clock.sleep(timings.observeIntervalMs, { signal: stop.signal });
        const resources = await ports.monitor.snapshot(callOptions(stop.signal, null));
        const pools = poolsOverHardLimit(resources, policy);
        sinceMs = pools.length === 0 ? null : (sinceMs ?? clock.monotonicMs());
        const critical = poolsOverHardLimit(resources, {
          ...policy,
          hardLimitRatio: CRITICAL_RATIO,
          unifiedHardLimitRatio: CRITICAL_RATIO,
        });
        // What has run out already gets no worse by waiting for an answer; what still runs out does.
        const left = leftBytes(resources);
        const worsens = critical.length > 0 && lastLeft !== null && left < lastLeft;
        lastLeft = left;
        criticalSinceMs = worsens ? (criticalSinceMs ?? clock.monotonicMs()) : null;
        if (pools.length > 0 && !stop.signal.aborted) options.onOverLimit(pools);
      } catch {
        // Stopped, or a reading that failed: the loop reports the monitor's faults, and a switch that
        // was decided upon is carried out without them.
      }
    }
  };
  const watching = options.watch ? watch() : Promise.resolve();
  const lasts = (fromMs: number | null, forMs: number): boolean =>
    fromMs !== null && clock.monotonicMs() - fromMs >= forMs;
  const expired = (): boolean =>
    lasts(sinceMs, timings.emergencyDrainMs) || lasts(criticalSinceMs, timings.criticalDrainMs);

  return {
    deadlineMs: () => (expired() ? 0 : timings.drainDeadlineMs),
    force: expired,
    overSinceMs: () => sinceMs,
    stop: async () => {
      stop.abort();
      await watching;
    },
  };
}

function leftBytes({ ram, gpus }: Resources): number {
  return gpus.reduce((sum, gpu) => sum + (gpu.availableBytes ?? 0), ram.availableBytes ?? 0);
}
