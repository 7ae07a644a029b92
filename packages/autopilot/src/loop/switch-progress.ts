import type { RunEvent } from '../switch/run-event.js';
import type { RunReport } from '../switch/run-report.js';

/** What a switch came to. */
export interface SwitchResult {
  /** Null when a load was broken off. */
  readonly report: RunReport | null;
  /** Which way the model that serves has changed; null where it has not. */
  readonly direction: 'up' | 'down' | null;
  /** Available RAM once it had settled after the last load; null when nothing was loaded. */
  readonly availableBytes: number | null;
}

/** What a load is broken off with when memory runs out under it. */
export class MemoryRanOut extends Error {
  readonly pools: readonly string[];
  constructor(pools: readonly string[]) {
    super(`${pools.join(' and ')} passed the hard limit during a load.`);
    this.pools = pools;
  }
}

/** What the switch is doing, for the guard and the report. */
export class Progress {
  /** The model that is being loaded; null when none is. */
  loading: string | null = null;
  availableBytes: number | null = null;

  follow(event: RunEvent): void {
    if (event.type === 'loading') this.loading = event.modelKey;
    if (event.type === 'loaded') {
      this.loading = null;
      this.availableBytes = event.resources.ram.availableBytes;
    }
    if (event.type === 'load-failed' || event.type === 'settling') this.loading = null;
  }
}

/** Which way the model that serves has changed; null where it has not. */
export function directionOf(report: RunReport): 'up' | 'down' | null {
  if (report.outcome === 'released') return 'down';
  if (report.outcome === 'rolled-back' || report.loaded.length === 0) return null;
  return report.first.selection.direction ?? 'up';
}

/** Whether all that was done is the end of an earlier switch: what it had replaced was busy then. */
export function isLateEnd({ outcome, loaded, unloaded }: RunReport): boolean {
  return outcome === 'switched' && loaded.length === 0 && unloaded.length > 0;
}
