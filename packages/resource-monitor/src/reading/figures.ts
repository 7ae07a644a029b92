import type { GpuSnapshot, PowerSnapshot, PressureSnapshot, RamSnapshot } from '../snapshot.js';
import type { Reader } from './reader.js';

/** CPU time since some moment; two of these make a load. */
export interface CpuTimes {
  readonly busyMs: number;
  /** Busy and idle; null where it follows from the clock and `cores`. */
  readonly totalMs: number | null;
  readonly cores: number;
  /** Whose time it is, where a reader may change between several; times of different ones can't be compared. */
  readonly of?: string;
}

/** Bytes moved since the machine started. */
export interface SwapCounters {
  readonly inBytes: number;
  readonly outBytes: number;
}

/** One process of LM Studio's with its CPU time since it started. */
export interface ProcessReading {
  readonly processId: number;
  /** Tells a process from a later one of the same id. */
  readonly startedAt: string;
  readonly name: string;
  readonly cpuMs: number;
  readonly residentBytes: number | null;
}

/** LM Studio's processes at one moment. */
export interface ProcessReadings {
  /** On the monotonic clock; a reader may give the same reading twice. */
  readonly atMs: number;
  readonly processes: readonly ProcessReading[];
}

/** What a GPU reader says of one GPU. */
export interface GpuReading extends Omit<GpuSnapshot, 'readAtMs' | 'name'> {
  /** Null where the reader can't tell; another one may. */
  readonly name: string | null;
  /** The total is a rule of thumb; whoever has a measured one knows better. */
  readonly totalIsEstimate: boolean;
  /** Vendor and device as in `1002:744c`. */
  readonly pciId: string | null;
  /** As in `0000:03:00.0`; finds the same GPU in other readers' lists. */
  readonly pciAddress: string | null;
  /** On the monotonic clock; null without figures. */
  readonly readAtMonotonicMs: number | null;
  /** Why figures are missing. */
  readonly reasons: readonly string[];
}

/** Something that lists GPUs. */
export interface GpuReader extends Reader<readonly GpuReading[]> {
  /** Faster or slower from now on, for readers with a running program. */
  pace?(intervalMs: number): void;
  /** Ends what it runs. */
  stop?(): Promise<void>;
}

/** Load averages over 1, 5 and 15 minutes. */
export type LoadAverages = readonly [number, number, number];

/** The readers of one platform, in order of trust. */
export interface PlatformReaders {
  readonly ram: readonly Reader<RamSnapshot>[];
  /** Reading RAM takes no more than a system call or a small file. */
  readonly ramIsCheap: boolean;
  readonly swap: readonly Reader<{ readonly totalBytes: number; readonly freeBytes: number }>[];
  readonly swapCounters: readonly Reader<SwapCounters>[];
  readonly pressure: readonly Reader<PressureSnapshot>[];
  readonly cpu: readonly Reader<CpuTimes>[];
  readonly loadAverages: readonly Reader<LoadAverages>[];
  readonly engines: readonly Reader<ProcessReadings>[];
  readonly gpus: readonly GpuReader[];
  readonly power: readonly Reader<PowerSnapshot>[];
  /** Tells the process reader which ids the caller knows to be LM Studio's. */
  knowEngines(processIds: readonly number[]): void;
  /** Gives back what is held open. */
  close(): Promise<void>;
}
