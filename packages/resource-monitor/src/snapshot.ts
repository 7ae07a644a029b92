/** What a machine has and has left at one moment. What is unknown is null, never zero. */
export interface ResourceSnapshot {
  /** When it was taken, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Always true: a monitor reads the machine that it runs on. */
  readonly observable: boolean;
  readonly ram: RamSnapshot;
  readonly swap: SwapSnapshot;
  readonly pressure: PressureSnapshot;
  /** CPU and GPU share one pool (Apple silicon): what the GPU takes is taken from `ram`. */
  readonly unified: boolean;
  readonly gpus: readonly GpuSnapshot[];
  readonly cpu: CpuSnapshot;
  /** LM Studio's processes, largest share of the CPU first; null before they were looked for. */
  readonly engines: readonly EngineProcess[] | null;
  readonly power: PowerSnapshot;
  /** Which reader served which figure, and why the others were passed over. */
  readonly sources: readonly FigureSource[];
}

/** Main memory. */
export interface RamSnapshot {
  /** What this process and its siblings can have: the machine's RAM or, if smaller, the cgroup's limit. */
  readonly totalBytes: number;
  /** What can be taken without swapping, as the platform means it. */
  readonly availableBytes: number | null;
  /** Whether the pages of memory-mapped files are missing from `availableBytes`. */
  readonly mappedCountsAsUsed: boolean;
  readonly limitedBy: 'machine' | 'cgroup';
  /** The machine's RAM, whatever a cgroup allows. */
  readonly machineTotalBytes: number;
}

/** Swap space, or the paging file. */
export interface SwapSnapshot {
  /** 0 where there is no swap. */
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
  /** Since the sample before; null in the first one. */
  readonly inBytesPerSecond: number | null;
  readonly outBytesPerSecond: number | null;
}

/** How hard the system works to find memory, in the words of its platform. */
export interface PressureSnapshot {
  /** Linux PSI: share of the last 10 s in which tasks waited for memory, 0 to 1. */
  readonly stall: { readonly someRatio: number; readonly fullRatio: number } | null;
  /** The level that macOS tells its programs. */
  readonly level: 'normal' | 'warning' | 'critical' | null;
  /** The commit charge of Windows: allocations fail at the limit, whatever is free. */
  readonly commit: { readonly usedBytes: number; readonly limitBytes: number } | null;
}

/** One GPU. */
export interface GpuSnapshot {
  /** Stable over restarts: NVIDIA UUID, `pci:0000:03:00.0`, `apple`, `luid:...` or `survey:0`. */
  readonly deviceKey: string;
  readonly name: string;
  readonly vendor: 'nvidia' | 'amd' | 'intel' | 'apple' | null;
  readonly kind: 'discrete' | 'integrated' | 'unified' | null;
  /** `shared` lives in system memory: what it takes is taken from `ram`. */
  readonly memory: 'dedicated' | 'shared';
  /** Of a shared one only a cap on what it may take. */
  readonly totalBytes: number | null;
  readonly usedBytes: number | null;
  readonly availableBytes: number | null;
  /** 0 to 1. */
  readonly utilizationRatio: number | null;
  /** Who holds its memory; null where that can't be seen. */
  readonly processes: readonly { readonly processId: number; readonly bytes: number }[] | null;
  /** When the figures were read, in milliseconds since the epoch; null without figures. */
  readonly readAtMs: number | null;
}

/** The processors. */
export interface CpuSnapshot {
  /** Cores of the machine, or what a cgroup's quota is worth, which may be a fraction. */
  readonly cores: number;
  /** Over all of `cores` since the sample before, 0 to 1; the first sample has the load average. */
  readonly utilizationRatio: number | null;
  /** LM Studio's part of it. */
  readonly enginesRatio: number | null;
  /** Everyone else's part of it. */
  readonly othersRatio: number | null;
  /** Over 1, 5 and 15 minutes, in tasks of the whole machine; Windows has none. */
  readonly loadAverages: readonly [number, number, number] | null;
}

/** One of LM Studio's processes. */
export interface EngineProcess {
  readonly processId: number;
  readonly name: string;
  /** Share of all `cores` since the sample before, 0 to 1. */
  readonly cpuRatio: number | null;
  /** Mapped pages of the model file included. */
  readonly residentBytes: number | null;
}

/** Where the electricity comes from. */
export interface PowerSnapshot {
  /** Null where that can't be told; a machine without a battery is not on battery. */
  readonly onBattery: boolean | null;
  /** 0 to 1; null without a battery. */
  readonly chargeRatio: number | null;
}

/** Where a figure is from. */
export interface FigureSource {
  /** `ram`, `swap`, `swap-rate`, `pressure`, `cpu`, `engines`, `power` or `gpu:` and a device key. */
  readonly figure: string;
  /** Null: no reader could serve it. */
  readonly source: string | null;
  /** The readers that were asked before, or whose figures were not used. */
  readonly passedOver: readonly { readonly source: string; readonly reason: string }[];
}
