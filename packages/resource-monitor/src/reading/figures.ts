import type { GpuSnapshot, PowerSnapshot, PressureSnapshot, RamSnapshot } from '../snapshot.js';
import type { Reader } from './reader.js';

/** A counter of CPU time. The load is computed from the difference of two counters. */
export interface CpuTimes {
  readonly busyMs: number;
  /** Busy and idle time together; null where the total is the elapsed time multiplied by `cores`. */
  readonly totalMs: number | null;
  readonly cores: number;
  /**
   * Names the counter, for a reader that can switch between counters. Only values of the same counter are
   * compared.
   */
  readonly of?: string;
}

/** Bytes swapped in and out since the machine started. */
export interface SwapCounters {
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Swap space, or the paging file. */
export interface SwapReading {
  /** 0 where there is no swap. */
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** A process of an engine, with its CPU time since it started. */
export interface ProcessReading {
  readonly processId: number;
  /** Distinguishes a process from a later process with the same id. */
  readonly startedAt: string;
  readonly name: string;
  readonly cpuMs: number;
  readonly residentBytes: number | null;
}

/** The processes of the engines at one moment. */
export interface ProcessReadings {
  /** In monotonic milliseconds. A reader may return the same reading in several samples. */
  readonly atMs: number;
  readonly processes: readonly ProcessReading[];
}

/** The facts of one reader about one GPU. */
export interface GpuReading extends Omit<GpuSnapshot, 'readAtMs'> {
  /** True if the total is estimated. A total from another source then replaces it. */
  readonly totalIsEstimate: boolean;
  /** PCI ids of vendor and device, such as `1002:744c`. */
  readonly pciId: string | null;
  /** Such as `0000:03:00.0`. It identifies the same GPU in the lists of other readers. */
  readonly pciAddress: string | null;
  /** In monotonic milliseconds; null without figures. */
  readonly readAtMonotonicMs: number | null;
  /** Why programs of this user cannot open the GPU; null where they can, and where that is not known. */
  readonly closed: string | null;
  /** Why figures are missing. */
  readonly reasons: readonly string[];
}

/** Lists GPUs. */
export interface GpuReader extends Reader<readonly GpuReading[]> {
  /** Sets how often a reader's long-lived program prints figures. */
  setIntervalMs?(intervalMs: number): void;
  /** Ends the reader's programs. */
  stop?(): Promise<void>;
}

/** Load averages over 1, 5 and 15 minutes. */
export type LoadAverages = readonly [number, number, number];

/** The readers of one platform, in order of trust. */
export interface PlatformReaders {
  readonly ram: readonly Reader<RamSnapshot>[];
  /** True if reading RAM takes only one system call or one small file, and starts no program. */
  readonly ramIsCheap: boolean;
  readonly swap: readonly Reader<SwapReading>[];
  readonly swapCounters: readonly Reader<SwapCounters>[];
  readonly pressure: readonly Reader<PressureSnapshot>[];
  readonly cpu: readonly Reader<CpuTimes>[];
  readonly loadAverages: readonly Reader<LoadAverages>[];
  readonly engines: readonly Reader<ProcessReadings>[];
  readonly gpus: readonly GpuReader[];
  readonly power: readonly Reader<PowerSnapshot>[];
  /** Sets the ids of processes that the caller knows to be LM Studio's. */
  knowEngines(processIds: readonly number[]): void;
  /** Closes open files and ends running programs. */
  close(): Promise<void>;
}
