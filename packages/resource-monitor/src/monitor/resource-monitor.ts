import type { HardwareSurveyFacts } from '../gpu/survey.js';
import type { HistoryBucket, HistoryOptions } from '../history/history.js';
import type { Trend, TrendOptions } from '../history/trend.js';
import type { MachineInventory } from '../inventory/inventory.js';
import type { ModelFootprint } from '../judge/can-fit.js';
import type { OverloadThresholds } from '../judge/is-overloaded.js';
import type { RamSnapshot, ResourceSnapshot } from '../snapshot.js';

/** What every call that waits takes. */
export interface CallOptions {
  /** Ends the wait with the signal's own reason. A sample that others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline in milliseconds; without it readers have deadlines of their own. */
  readonly timeoutMs?: number | undefined;
}

/** How `watch` samples. */
export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds between samples. A pair lets the monitor choose: slow while nothing changes, fast
   * near a limit or while something is loading. `{ minMs: 250, maxMs: 5000 }` unless given.
   */
  readonly intervalMs?: number | { readonly minMs: number; readonly maxMs: number } | undefined;
}

/** What others know of this machine. Fields that are left out stay as they were. */
export interface MonitorHints {
  /** LM Studio's hardware survey of this machine; null takes an earlier one back. */
  readonly survey?: HardwareSurveyFacts | null;
  /** Processes that are known to be LM Studio's, beside those found by name and parent. */
  readonly engineProcessIds?: readonly number[];
  /** A model is being loaded or unloaded: sample fast. */
  readonly loading?: boolean;
}

/** A snapshot from after memory stopped moving, or from the deadline. */
export interface SettledSnapshot extends ResourceSnapshot {
  /** False: the deadline came first, and these pools were still moving. */
  readonly settled: boolean;
  /** `ram` or `gpu:` and a device key. */
  readonly moving: readonly string[];
  readonly waitedMs: number;
}

/** Watches one machine, or replays a recording of one. */
export interface ResourceMonitor extends AsyncDisposable {
  /**
   * What the machine has and has left now. Callers at the same time share one sample. The first one
   * never waits for a second look: its CPU load is the load average.
   * @throws ResourceMonitorError `PROBE_TIMED_OUT` past `timeoutMs`, `PROBE_FAILED` where not even
   * memory can be read or the monitor was disposed of; the signal's reason when it fires.
   */
  snapshot(options?: CallOptions): Promise<ResourceSnapshot>;
  /**
   * RAM alone, read anew, at a small part of what a snapshot costs: for a look between two snapshots.
   * Leaves no trace in the history. Null where reading RAM starts a program.
   * @throws ResourceMonitorError `PROBE_FAILED` where memory can't be read.
   */
  readonly readRam: (() => Promise<RamSnapshot>) | null;
  /**
   * The first snapshot after memory has stopped moving. Call it right after a load or an unload:
   * drivers and the OS lag behind by up to 1.5 s. Gives up after `timeoutMs` (8000 unless given) and
   * then says which pools were still moving.
   */
  settled(options?: CallOptions): Promise<SettledSnapshot>;
  /**
   * Samples for as long as it is iterated. Each step gets the newest sample that it has not seen: a
   * slow consumer misses some, and nothing queues up. Ends by `break`, or by throwing the signal's
   * reason.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<ResourceSnapshot>;
  /** What was sampled so far, in buckets; oldest first. */
  history(options: HistoryOptions): readonly HistoryBucket[];
  /** Where a figure is heading, by what was sampled so far. */
  trend(options?: TrendOptions): Trend;
  /**
   * Whether the machine is above one of the limits now. For use without the selector: it knows
   * nothing of residents, so a loaded model counts as load.
   */
  isOverloaded(thresholds?: OverloadThresholds, options?: CallOptions): Promise<boolean>;
  /**
   * Whether a model of this footprint fits beside everything that runs now; null where a pool that
   * it needs is unmeasured. Knows nothing of residents that could make room.
   */
  canFit(footprint: ModelFootprint, options?: CallOptions): Promise<boolean | null>;
  /** Takes in what others know of this machine. */
  inform(hints: MonitorHints): void;
  /**
   * What the machine is made of, by systeminformation in a process of its own; once, then from
   * memory. Null where that failed or, in a recording, was not recorded.
   */
  inventory(options?: CallOptions): Promise<MachineInventory | null>;
}
