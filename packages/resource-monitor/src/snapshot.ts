import type { GpuResources, Resources } from '@mai/memory-ledger';

/**
 * The resources of a machine at one moment: totals, and the parts that are available. Unknown figures are
 * null, never zero. A snapshot is a `Resources` of the memory ledger with more detail.
 */
export interface ResourceSnapshot extends Resources {
  /** Always true, because a monitor reads the machine that it runs on. */
  readonly observable: boolean;
  readonly ram: RamSnapshot;
  readonly swap: SwapSnapshot;
  readonly pressure: PressureSnapshot;
  readonly gpus: readonly GpuSnapshot[];
  readonly cpu: CpuSnapshot;
  /** The processes of the engines, the largest CPU share first; null if they could not be listed. */
  readonly engines: readonly EngineProcess[] | null;
  readonly power: PowerSnapshot;
  /** Which reader supplied each figure, and why more trusted readers did not. */
  readonly sources: readonly FigureSource[];
}

/** Main memory. */
export interface RamSnapshot {
  /**
   * The machine's RAM without the huge pages that are reserved on Linux, or the limit of this process's control group if that
   * is smaller.
   */
  readonly totalBytes: number;
  /** Memory that can be allocated without swapping, by the platform's estimate. */
  readonly availableBytes: number | null;
  /**
   * Whether `availableBytes` excludes the pages of memory-mapped files: Windows excludes them, Linux and
   * macOS do not. Null if not known.
   */
  readonly mappedCountsAsUsed: boolean | null;
  readonly limitedBy: 'machine' | 'cgroup';
  /** The machine's RAM, regardless of a control group's limit. */
  readonly machineTotalBytes: number;
}

/** Swap space, or the paging file. */
export interface SwapSnapshot {
  /** 0 where there is no swap. */
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
  /** Since the previous sample; null in the first sample. */
  readonly inBytesPerSecond: number | null;
  readonly outBytesPerSecond: number | null;
}

/** Memory pressure, as the platform reports it. */
export interface PressureSnapshot {
  /** Linux PSI: share of the last 10 s in which some or all tasks waited for memory, 0 to 1. */
  readonly stall: { readonly someRatio: number; readonly fullRatio: number } | null;
  /** The memory pressure level of macOS. */
  readonly level: 'normal' | 'warning' | 'critical' | null;
  /** The commit charge of Windows. At its limit, allocations fail even if RAM is free. */
  readonly commit: { readonly usedBytes: number; readonly limitBytes: number } | null;
}

/** One GPU. */
export interface GpuSnapshot extends GpuResources {
  /** Stable over restarts: an NVIDIA UUID, `pci:0000:03:00.0`, `apple`, `dx:1002:15bf` or `survey:0`. */
  readonly deviceKey: string;
  readonly kind: 'discrete' | 'integrated' | 'unified' | null;
  readonly usedBytes: number | null;
  /** 0 to 1. */
  readonly utilizationRatio: number | null;
  /** The processes that hold memory of this GPU; null if not known. */
  readonly processes: readonly { readonly processId: number; readonly bytes: number }[] | null;
  /** When the figures were read, in milliseconds since the epoch; null without figures. */
  readonly readAtMs: number | null;
}

/** The processors. */
export interface CpuSnapshot {
  /** Cores of the machine, or a control group's CPU quota in cores, which may be a fraction. */
  readonly cores: number;
  /** Share of all `cores` in use since the previous sample, 0 to 1; the load average in the first sample. */
  readonly utilizationRatio: number | null;
  /** Share of all `cores` that the engines use. */
  readonly enginesRatio: number | null;
  /** Share of all `cores` that all other processes use. */
  readonly othersRatio: number | null;
  /** Over 1, 5 and 15 minutes, in runnable tasks of the whole machine; null on Windows. */
  readonly loadAverages: readonly [number, number, number] | null;
}

/** A process of an engine. */
export interface EngineProcess {
  readonly processId: number;
  readonly name: string;
  /** Share of all `cores` since the previous sample, 0 to 1. */
  readonly cpuRatio: number | null;
  /** Includes mapped pages of the model file. */
  readonly residentBytes: number | null;
}

/** The power supply. */
export interface PowerSnapshot {
  /** Null if not known. */
  readonly onBattery: boolean | null;
  /** 0 to 1; null without a battery. */
  readonly chargeRatio: number | null;
}

/** The origin of a figure. */
export interface FigureSource {
  /**
   * `ram`, `swap`, `swap-rate`, `pressure`, `cpu`, `load-average`, `engines`, `power`, `gpus`, or `gpu:` and a device key. A GPU
   * that programs of this user cannot open is in `sources` with the reason, and not in the snapshot's `gpus`.
   */
  readonly figure: string;
  /** Null if no reader could supply the figure. */
  readonly source: string | null;
  /** Readers that had no figure, or whose figure was not used, with the reason. */
  readonly passedOver: readonly PassedOver[];
}

/** A reader that had no figure, or whose figure was not used. */
export interface PassedOver {
  readonly source: string;
  /** A text for people. */
  readonly reason: string;
  /**
   * The kind of the reason, for programs. `not-installed`: the reader's program is not on this machine. `no-device`: the reader
   * works, and finds no device. `suspended`: reading would wake the device. `impossible`: the reader has figures, but they
   * contradict each other or any machine. Null for every other reason.
   */
  readonly cause: 'not-installed' | 'no-device' | 'suspended' | 'impossible' | null;
}
