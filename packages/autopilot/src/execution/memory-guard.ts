import type { PoolName, Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { MemoryPressure } from './memory-pressure.js';

/** Observes memory during a switch, because the loop starts no round until the switch ends. */
export interface MemoryGuard {
  /** Ends the observation; resolves when no call and no timer is left. */
  stop(): Promise<void>;
}

/** @param options.onOverLimit - called after every reading with a pool over its hard limit. */
export function startMemoryGuard(
  { clock, monitor }: Pick<AutopilotPorts, 'clock' | 'monitor'>,
  options: {
    readonly pressure: MemoryPressure;
    readonly policy: SelectionPolicy;
    readonly intervalMs: number;
    readonly residents: () => readonly Resident[];
    readonly onOverLimit: (pools: readonly PoolName[], resources: Resources) => void;
  },
): MemoryGuard {
  const { pressure, policy, intervalMs, residents, onOverLimit } = options;
  const stop = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await clock.sleep(intervalMs, { signal: stop.signal });
        const resources = await monitor.snapshot(callOptions(stop.signal, null));
        const pools = pressure.observe(resources, residents(), policy);
        if (pools.length > 0 && !stop.signal.aborted) onOverLimit(pools, resources);
      } catch {
        // The guard was stopped, or a reading failed. The switch goes on, and the next round reports the
        // failed monitor.
      }
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      stop.abort();
      await watching;
    },
  };
}
