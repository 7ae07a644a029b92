import type { SpeedRange } from '@mai/memory-ledger';
import { isPossibleError, learnCorrections } from '../learning/corrections.js';
import { INTERVAL } from '../predict/interval.js';

/** A load of a model on this machine. */
export interface LoadQuestion {
  /** Bytes of the model's files. */
  readonly fileBytes: number;
  /** Bytes that are copied to GPUs with memory of their own; 0 on unified memory. */
  readonly gpuBytes: number;
  /** Bytes per second that the disk was seen to read. Null: not known; a common SSD is taken. */
  readonly diskBytesPerSecond: number | null;
  /** Whether the files are in the page cache. Null: not known. */
  readonly isCached: boolean | null;
}

/** A load that took `loadMs` milliseconds. */
export interface LoadObservation extends LoadQuestion {
  readonly loadMs: number;
}

/** The time of a load in milliseconds by its cause, before the correction by earlier loads. */
export interface LoadParts {
  /** Starting the engine, and preparing the context. */
  readonly start: number;
  /** Reading the files from the disk. */
  readonly disk: number;
  /** Reading the files from the page cache. */
  readonly pageCache: number;
  /** Copying weights to the GPU. */
  readonly copy: number;
}

/** Milliseconds of a load, with an interval that holds 90 % of loads. */
export interface LoadTimePrediction extends SpeedRange {
  readonly parts: LoadParts;
  /** Factor by which earlier loads changed the time; 1 without earlier loads. */
  readonly correction: number;
}

const START_MS = 1000;
/** A common NVMe SSD behind a file system, between SATA (0.5 GB/s) and the fastest (7 GB/s). */
const USUAL_DISK_RATE = 2e9;
/** A single-threaded copy from the page cache. */
const PAGE_CACHE_RATE = 6e9;
/** PCIe 3.0 x16 or 4.0 x8 from memory that is not pinned. */
const COPY_RATE = 6e9;
/** Assumed standard deviations of the logarithm of each part of the time. */
const DOUBT = { start: 0.7, disk: 0.8, knownDisk: 0.25, pageCache: 0.6, copy: 0.6 } as const;
/** Assumed standard deviation of the logarithm of the time between two equal loads. */
const NOISE = 0.15;
/** Only this many loads count, the newest ones. */
const LOADS_MAX = 32;

/** A part of the time of a load and how far it may be wrong: share of the part x standard deviation. */
interface LoadTraits {
  readonly doubts: readonly number[];
}

/**
 * How long a load takes: starting the engine, reading the files, copying to the GPU. Each part may be wrong by a factor
 * of its own. Earlier loads of this machine correct the factors (Gaussian process regression over the logarithm of the
 * error). Pure: the same loads give the same answer.
 *
 * Where it is not known whether the files are in the page cache, `expected` and `high` are for the disk, which is the
 * careful side, and `low` is for the page cache. An earlier load with an unknown page cache counts as read from the one
 * whose predicted time is closer.
 *
 * @param observations - earlier loads of this machine, oldest first; at most the last 32 count. Those that took no finite time
 *   above 0 are left out, and those that are a thousand times faster or slower than the physics.
 */
export function predictLoadTime(
  question: LoadQuestion,
  observations: readonly LoadObservation[] = [],
): LoadTimePrediction {
  const correct = learnCorrections(
    observations.slice(-LOADS_MAX).flatMap((one) => {
      const { ms, traits } = estimate({ ...one, isCached: one.isCached ?? wasCached(one) });
      const error = Math.log(one.loadMs / ms);
      return isPossibleError(error) ? [{ traits, error, extraNoise: 0 }] : [];
    }),
    sharedDoubt,
    NOISE,
    (a, b) => a.doubts.every((doubt, i) => doubt === b.doubts[i]),
  );
  const predict = (isCached: boolean): LoadTimePrediction => {
    const { ms, parts, traits } = estimate({ ...question, isCached });
    const { mean, standardDeviation } = correct(traits);
    const expected = ms * Math.exp(mean);
    const spread = Math.exp(INTERVAL * standardDeviation);
    return {
      expected,
      low: expected / spread,
      high: expected * spread,
      parts,
      correction: Math.exp(mean),
    };
  };
  if (question.isCached !== null) return predict(question.isCached);
  const fromDisk = predict(false);
  return { ...fromDisk, low: Math.min(fromDisk.low, predict(true).low) };
}

function estimate({ fileBytes, gpuBytes, diskBytesPerSecond, isCached }: LoadQuestion): {
  readonly ms: number;
  readonly parts: LoadParts;
  readonly traits: LoadTraits;
} {
  const msOf = (bytes: number, rate: number): number => (bytes / rate) * 1000;
  const parts: LoadParts = {
    start: START_MS,
    disk: isCached === true ? 0 : msOf(fileBytes, diskBytesPerSecond ?? USUAL_DISK_RATE),
    pageCache: isCached === true ? msOf(fileBytes, PAGE_CACHE_RATE) : 0,
    copy: msOf(gpuBytes, COPY_RATE),
  };
  const ms = parts.start + parts.disk + parts.pageCache + parts.copy;
  const disk = diskBytesPerSecond === null ? DOUBT.disk : DOUBT.knownDisk;
  return {
    ms,
    parts,
    traits: {
      doubts: [
        (DOUBT.start * parts.start) / ms,
        (disk * parts.disk) / ms,
        (DOUBT.pageCache * parts.pageCache) / ms,
        (DOUBT.copy * parts.copy) / ms,
      ],
    },
  };
}

function wasCached(load: LoadObservation): boolean {
  const distance = (isCached: boolean): number =>
    Math.abs(Math.log(load.loadMs / estimate({ ...load, isCached }).ms));
  return distance(true) < distance(false);
}

function sharedDoubt(a: LoadTraits, b: LoadTraits, scale: number): number {
  let sum = 0;
  for (let i = 0; i < a.doubts.length; i += 1) sum += (a.doubts[i] ?? 0) * (b.doubts[i] ?? 0);
  return scale * sum;
}
