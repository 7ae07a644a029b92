import type { MeasuredMemory } from './observation.js';

/** What of memory can be seen at one moment. */
export interface MemoryReading {
  /**
   * Memory of the engine's processes that no file backs (Linux: Anonymous of smaps_rollup; macOS: physical
   * footprint; Windows: private bytes); null where they cannot be seen.
   */
  readonly engineAnonymousBytes: number | null;
  /** Null also where mapped files count as used: the weights could not be told from the rest. */
  readonly availableRamBytes: number | null;
  readonly gpus: readonly { readonly deviceKey: string; readonly usedBytes: number | null }[];
}

/** Waits until memory stands still; null where it does not. */
export type SettleDetector = (signal: AbortSignal | null) => Promise<MemoryReading | null>;

/** What a measurement does to a machine, and how it looks at it. */
export interface MeasurePorts {
  /** Loads the model. */
  load(signal: AbortSignal | null): Promise<void>;
  /** Generates once, with a prompt that fills a micro-batch: compute buffers are not resident before. */
  generate(signal: AbortSignal | null): Promise<void>;
  /** Unloads the model; called whatever happened after loading began. */
  unload(): Promise<void>;
  readonly settle: SettleDetector;
  /** What the header leads to expect: a reading far off it is somebody else's doing. */
  readonly expectedAnonymousBytes: number;
}

/** A measurement, or why there is none that can be trusted. */
export type MeasureOutcome =
  | { readonly measured: MeasuredMemory; readonly reason: null }
  | { readonly measured: null; readonly reason: UntrustedReason };

/**
 * `NOT_SETTLED`: memory kept moving. `DISTURBED`: it did not come back after unloading. `IMPLAUSIBLE`: it
 * is under a third of what was expected, or beyond three times that and a gigabyte.
 */
export type UntrustedReason = 'NOT_SETTLED' | 'DISTURBED' | 'NOTHING_SEEN' | 'IMPLAUSIBLE';

/** After unloading, free memory must come back to within this share of what the load took. */
const RETURN_SHARE = 0.15;
const RETURN_SLACK_BYTES = 64 * 1024 * 1024;
const PLAUSIBLE_FACTOR = 3;
/** Engines bring a runtime of their own. */
const PLAUSIBLE_OVERHEAD_BYTES = 1024 * 1024 * 1024;

/**
 * Loads a model, lets it generate once, and measures what that added to memory: the engine process's
 * anonymous memory and the change of each GPU's. Where the engine cannot be seen, the settled change of free
 * RAM stands in, if it comes back after unloading. The model is unloaded in any case.
 *
 * Rejects with what the ports reject with; `signal.reason` where it was cancelled.
 */
export async function measureFootprint(
  ports: MeasurePorts,
  signal: AbortSignal | null = null,
): Promise<MeasureOutcome> {
  const before = await ports.settle(signal);
  if (before === null) return untrusted('NOT_SETTLED');
  const loaded = await readLoaded(ports, signal);
  if (loaded === null) return untrusted('NOT_SETTLED');
  const method = bothSeen(before, loaded) ? 'process' : 'free-memory';
  const anonymousBytes =
    method === 'process'
      ? increase(before.engineAnonymousBytes, loaded.engineAnonymousBytes)
      : increase(loaded.availableRamBytes, before.availableRamBytes);
  const gpus = gpuIncreases(before, loaded);
  if ((anonymousBytes === null || anonymousBytes <= 0) && gpus.length === 0)
    return untrusted('NOTHING_SEEN');
  if (method === 'free-memory' && anonymousBytes !== null) {
    const after = await ports.settle(signal);
    if (!hasReturned(before, after, anonymousBytes)) return untrusted('DISTURBED');
  }
  if (anonymousBytes !== null && !isPlausible(anonymousBytes, ports.expectedAnonymousBytes))
    return untrusted('IMPLAUSIBLE');
  return { measured: { anonymousBytes, gpus, method }, reason: null };
}

async function readLoaded(
  ports: MeasurePorts,
  signal: AbortSignal | null,
): Promise<MemoryReading | null> {
  try {
    await ports.load(signal);
    await ports.generate(signal);
    return await ports.settle(signal);
  } finally {
    await ports.unload();
  }
}

function isPlausible(bytes: number, expectedBytes: number): boolean {
  const least = expectedBytes / PLAUSIBLE_FACTOR - RETURN_SLACK_BYTES;
  return (
    bytes >= Math.max(0, least) &&
    bytes <= expectedBytes * PLAUSIBLE_FACTOR + PLAUSIBLE_OVERHEAD_BYTES
  );
}

function bothSeen(before: MemoryReading, loaded: MemoryReading): boolean {
  return before.engineAnonymousBytes !== null && loaded.engineAnonymousBytes !== null;
}

function increase(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

function gpuIncreases(before: MemoryReading, loaded: MemoryReading): MeasuredMemory['gpus'] {
  return loaded.gpus.flatMap(({ deviceKey, usedBytes }) => {
    const earlier = before.gpus.find((gpu) => gpu.deviceKey === deviceKey)?.usedBytes ?? null;
    const bytes = increase(earlier, usedBytes);
    return bytes !== null && bytes >= 0 ? [{ deviceKey, bytes }] : [];
  });
}

function hasReturned(
  before: MemoryReading,
  after: MemoryReading | null,
  takenBytes: number,
): boolean {
  const missing = increase(after?.availableRamBytes ?? null, before.availableRamBytes);
  return missing !== null && Math.abs(missing) <= RETURN_SHARE * takenBytes + RETURN_SLACK_BYTES;
}

function untrusted(reason: UntrustedReason): MeasureOutcome {
  return { measured: null, reason };
}
