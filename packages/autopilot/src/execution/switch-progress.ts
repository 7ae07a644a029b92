import type { LoadConfig, PoolName, Resources } from '@mai/memory-ledger';
import type { Resident, Selection } from '@mai/selector';
import type { RunEvent } from '../switch/report/run-event.js';
import type { RunReport } from '../switch/report/run-report.js';

/** The result of a switch. */
export interface SwitchResult {
  /** Null when a load was aborted because memory ran out. */
  readonly report: RunReport | null;
  /** Direction in which the serving model has changed; null when the same model serves. */
  readonly direction: 'up' | 'down' | null;
  /** Available RAM after the last load, once memory had settled; null when nothing was loaded. */
  readonly availableBytes: number | null;
}

/** The reason for aborting a load: a pool went over its hard limit. */
export class MemoryRanOut extends Error {
  readonly pools: readonly PoolName[];
  /** The resources at the reading that had a pool over its hard limit. */
  readonly resources: Resources;
  constructor(pools: readonly PoolName[], resources: Resources) {
    super(`${pools.join(' and ')} went over the hard limit during a load.`);
    this.pools = pools;
    this.resources = resources;
  }
}

/** The facts about a load that decide whether it serves a caller. */
export interface LoadTarget {
  readonly modelKey: string;
  readonly contextLengthTokens: number | null;
}

/** Progress of the switch under way. */
export class SwitchProgress {
  /** The load of the last decision, or the load under way; null where none is intended. */
  target: LoadTarget | null = null;
  /** The model that is being loaded; null while no load is under way. */
  loading: string | null = null;
  /** Available RAM after the last load; null before the first. */
  availableBytes: number | null = null;
  /** The residents of the last decision that have not been unloaded since. */
  residents: readonly Resident[];

  constructor(residents: readonly Resident[]) {
    this.residents = residents;
  }

  follow(event: RunEvent): void {
    switch (event.type) {
      case 'decided':
        this.residents = event.input.residents;
        this.target = loadTargetOf(event.selection);
        break;
      case 'unloaded':
        this.residents = this.residents.filter(
          (one) => one.instanceIdentifier !== event.instanceIdentifier,
        );
        break;
      case 'loading':
        this.loading = event.modelKey;
        this.target = loadTarget(event);
        break;
      case 'loaded':
        this.loading = null;
        this.availableBytes = event.resources.ram.availableBytes;
        break;
      case 'load-failed':
      case 'settling':
        this.loading = null;
        break;
      case 'observing':
      case 'draining':
      case 'unloading':
      case 'rolling-back':
        break;
    }
  }
}

/** The load that a decision intends; null where it intends none. */
function loadTargetOf({ plan, afterDrain }: Selection): LoadTarget | null {
  const load = [...plan.steps, ...(afterDrain?.plan.steps ?? [])].find(
    (step) => step.action === 'load',
  );
  return load === undefined ? null : loadTarget({ ...load, ...load.loadOption });
}

function loadTarget({
  modelKey,
  loadConfig: { contextLengthTokens },
}: {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
}): LoadTarget {
  return { modelKey, contextLengthTokens };
}

/** `up` for a better model, `down` for a lesser model or no model; null when the same model serves. */
export function directionOf(report: RunReport): 'up' | 'down' | null {
  if (report.outcome === 'released') return 'down';
  if (report.outcome === 'rolled-back' || report.loaded.length === 0) return null;
  return report.first.selection.direction ?? 'up';
}

/** Whether the switch only unloaded an instance that was busy when an earlier switch replaced it. */
export function isLateEnd({ outcome, loaded, unloaded }: RunReport): boolean {
  return outcome === 'switched' && loaded.length === 0 && unloaded.length > 0;
}
