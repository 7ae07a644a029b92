import type { Footprint, SelectionPolicy } from '@mai/memory-ledger';
import type { HardwareSurveyFacts } from '../gpu/match-survey.js';
import type { HistoryBucket, HistoryOptions } from '../history/history.js';
import type { Trend, TrendOptions } from '../history/trend.js';
import type { MachineInventory } from '../inventory/inventory.js';
import type { SettledSnapshot } from '../sampling/settle-detector.js';
import type { WatchOptions } from '../sampling/watch-loop.js';
import type { RamSnapshot, ResourceSnapshot } from '../snapshot.js';

/** Options of every call that waits. */
export interface CallOptions {
  /**
   * Cancels the wait. The call then rejects with the signal's reason. A sample that other callers share goes
   * on.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Deadline in milliseconds, at least 0. If it is not set, only the readers' own deadlines apply. A call with another number
   * rejects with a RangeError.
   */
  readonly timeoutMs?: number | undefined;
}

/** Options of the questions that compare a snapshot with limits. */
export interface LimitOptions extends CallOptions {
  /** The limits. Default: `DEFAULT_SELECTION_POLICY` of the memory ledger. */
  readonly policy?: SelectionPolicy | undefined;
  /**
   * Footprints of the models that are loaded on this machine; null for a model whose footprint is not known.
   * Default: no models. The mapped weights of a model that is left out are not counted, because the OS can report
   * them as available.
   */
  readonly residents?: readonly (Footprint | null)[] | undefined;
}

/** Facts about this machine from other sources. A field that is left out keeps its last value. */
export interface MonitorHints {
  /** LM Studio's hardware survey of this machine; null removes an earlier survey. */
  readonly survey?: HardwareSurveyFacts | null;
  /**
   * Ids of the processes of other engines, such as the embedded one. Replaces the ids of an earlier hint. LM Studio's
   * processes are found by their names.
   */
  readonly engineProcessIds?: readonly number[];
  /** A model is being loaded or unloaded: sample at the shortest interval. */
  readonly loading?: boolean;
}

/** Watches one machine, or replays a recording of one. */
export interface ResourceMonitor extends AsyncDisposable {
  /**
   * The machine's resources now: totals and available parts. Concurrent callers share one sample. The first snapshot has
   * no earlier sample to compare with, so it reports the load average as CPU load.
   * @throws ResourceMonitorError `PROBE_TIMED_OUT` after `timeoutMs`; `PROBE_FAILED` if memory cannot
   * be read or the monitor was disposed of; the signal's reason when the signal fires.
   */
  snapshot(options?: CallOptions): Promise<ResourceSnapshot>;
  /**
   * Reads RAM only. This is much cheaper than a snapshot, and adds nothing to the history. Null on
   * platforms where reading RAM starts a program (macOS).
   * @throws ResourceMonitorError `PROBE_FAILED` if memory cannot be read or the monitor was disposed of.
   */
  readonly readRam: (() => Promise<RamSnapshot>) | null;
  /**
   * Samples until memory stops moving and returns the last sample. Call it right after a load or an unload,
   * because drivers and the OS free memory up to 1.5 s late. Ends after `timeoutMs` (default: 8000) and then
   * lists the pools that were still moving.
   */
  settled(options?: CallOptions): Promise<SettledSnapshot>;
  /**
   * Samples while the result is iterated. Each step returns the newest sample not yet seen. A slow consumer
   * skips samples, and no queue builds up. Ends with `break`, or rejects with the signal's reason.
   * @throws RangeError for an interval that is not in its range.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<ResourceSnapshot>;
  /** The samples so far in buckets, oldest first. @throws RangeError for a window that is NaN or negative. */
  history(options: HistoryOptions): readonly HistoryBucket[];
  /**
   * The trend of a figure over the samples so far, and the time until the figure reaches a limit.
   * @throws RangeError for a window that is NaN or negative, and for a limit that is not from 0 to 1.
   */
  trend(options?: TrendOptions): Trend;
  /**
   * Whether a measured pool, or the CPU, is above its limit now. The minimum headroom counts as part of a
   * pool's limit. CPU load of the engines counts too.
   */
  isOverloaded(options?: LimitOptions): Promise<boolean>;
  /**
   * Whether a model with this footprint can be loaded beside everything that runs now and stay within the
   * policy's limits. False also if something must be unloaded first. Null if the footprint is charged to a pool
   * that is not measured, and no measured pool is too small.
   */
  canFit(footprint: Footprint, options?: LimitOptions): Promise<boolean | null>;
  /** Gives the monitor facts from other sources. */
  inform(hints: MonitorHints): void;
  /**
   * The hardware as systeminformation reports it. It is read once, in a child process, and kept. Null if the
   * reading failed, and for a replayed recording, which has no inventory.
   */
  inventory(options?: CallOptions): Promise<MachineInventory | null>;
}
