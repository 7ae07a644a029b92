import { bytesOn, type MeasuredMemory, type Observation } from './observation.js';

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
  /** What the header leads to expect. A reading far off it is somebody else's doing, and so is a GPU without it. */
  readonly expected: Observation['predicted'];
}

/** A measurement, or why there is none that can be trusted. */
export type MeasureOutcome =
  | { readonly measured: MeasuredMemory; readonly reason: null }
  | { readonly measured: null; readonly reason: UntrustedReason };

/**
 * `NOT_SETTLED`: memory kept moving. `DISTURBED`: it did not come back after unloading. `IMPLAUSIBLE`: RAM or
 * a GPU took under a third of what was expected, or over three times that and a gigabyte.
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
 * RAM stands in. Free RAM and GPUs are everybody's: what they show counts only if it comes back after
 * unloading. The model is unloaded in any case.
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
  const { expected } = ports;
  const measured = increases(before, loaded, expected);
  const { anonymousBytes, gpus, method } = measured;
  if ((anonymousBytes === null || anonymousBytes <= 0) && gpus.every(({ bytes }) => bytes <= 0))
    return untrusted('NOTHING_SEEN');
  if (!isPlausible(measured, expected)) return untrusted('IMPLAUSIBLE');
  const shared: Measured = method === 'process' ? { anonymousBytes: null, gpus } : measured;
  if (shared.anonymousBytes !== null || gpus.length > 0) {
    const after = await ports.settle(signal);
    if (after === null || !hasReturned(before, after, shared)) return untrusted('DISTURBED');
  }
  return { measured, reason: null };
}

type Measured = Pick<MeasuredMemory, 'anonymousBytes' | 'gpus'>;

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

/** What a load added to RAM, and to each GPU that was to hold some of it. */
function increases(
  before: MemoryReading,
  loaded: MemoryReading,
  expected: MeasurePorts['expected'],
): MeasuredMemory {
  const ofEngine = increase(before.engineAnonymousBytes, loaded.engineAnonymousBytes);
  return {
    anonymousBytes: ofEngine ?? increase(loaded.availableRamBytes, before.availableRamBytes),
    gpus: expected.gpus.flatMap(({ deviceKey }) => {
      const bytes = increase(usedOn(before, deviceKey), usedOn(loaded, deviceKey));
      return bytes === null ? [] : [{ deviceKey, bytes }];
    }),
    method: ofEngine === null ? 'free-memory' : 'process',
  };
}

function increase(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

function usedOn({ gpus }: MemoryReading, deviceKey: string): number | null {
  return gpus.find((gpu) => gpu.deviceKey === deviceKey)?.usedBytes ?? null;
}

/** Whether the memory that a load took, pool by pool, is free again. */
function hasReturned(before: MemoryReading, after: MemoryReading, taken: Measured): boolean {
  return (
    (taken.anonymousBytes === null ||
      isBack(increase(after.availableRamBytes, before.availableRamBytes), taken.anonymousBytes)) &&
    taken.gpus.every(({ deviceKey, bytes }) =>
      isBack(increase(usedOn(before, deviceKey), usedOn(after, deviceKey)), bytes),
    )
  );
}

function isBack(missingBytes: number | null, takenBytes: number): boolean {
  return (
    missingBytes !== null &&
    Math.abs(missingBytes) <= RETURN_SHARE * takenBytes + RETURN_SLACK_BYTES
  );
}

function isPlausible({ anonymousBytes, gpus }: Measured, expected: Measured): boolean {
  return (
    (anonymousBytes === null || isNear(anonymousBytes, expected.anonymousBytes ?? 0)) &&
    gpus.every(({ deviceKey, bytes }) => isNear(bytes, bytesOn(expected.gpus, deviceKey) ?? 0))
  );
}

function isNear(bytes: number, expectedBytes: number): boolean {
  const least = expectedBytes / PLAUSIBLE_FACTOR - RETURN_SLACK_BYTES;
  return (
    bytes >= Math.max(0, least) &&
    bytes <= expectedBytes * PLAUSIBLE_FACTOR + PLAUSIBLE_OVERHEAD_BYTES
  );
}

function untrusted(reason: UntrustedReason): MeasureOutcome {
  return { measured: null, reason };
}
