import { bytesOn, type MeasuredMemory, type Observation } from './observation.js';

/** Readings of memory at one moment. */
export interface MemoryReading {
  /**
   * Anonymous memory of the engine's processes; `null` where the processes cannot be read. Linux: Anonymous of
   * smaps_rollup; macOS: physical footprint; Windows: private bytes.
   */
  readonly engineAnonymousBytes: number | null;
  /**
   * `null` where it is not known. Also `null` where mapped files count as used, because the change would include
   * mapped weights.
   */
  readonly availableRamBytes: number | null;
  readonly gpus: readonly { readonly deviceKey: string; readonly usedBytes: number | null }[];
}

/** The machine, as a measurement uses it. */
export interface MeasurePorts {
  /** Loads the model. */
  load(signal: AbortSignal | null): Promise<void>;
  /** Generates once, with a prompt that fills a micro-batch. This makes the compute buffers resident. */
  generate(signal: AbortSignal | null): Promise<void>;
  /** Unloads the model. Called also after a load that failed or was cancelled. */
  unload(): Promise<void>;
  /** Waits until memory is stable, and reads it; `null` where it does not become stable. */
  settle(signal: AbortSignal | null): Promise<MemoryReading | null>;
  /**
   * The estimate before any calibration. Readings far from the estimate are rejected, and GPUs that the estimate
   * does not use are ignored.
   */
  readonly expected: Observation['predicted'];
}

/** A measurement, or the reason why the readings cannot be trusted. */
export type MeasureOutcome =
  | { readonly measured: MeasuredMemory; readonly reason: null }
  | { readonly measured: null; readonly reason: UntrustedReason };

/**
 * Why readings cannot be trusted.
 *
 * - `NOT_SETTLED`: memory did not become stable.
 * - `NOTHING_SEEN`: memory did not grow.
 * - `IMPLAUSIBLE`: RAM or a GPU grew by less than a third of the estimate, or by more than three times the
 *   estimate and 1 GiB.
 * - `DISTURBED`: the memory was not free again after unloading.
 */
export type UntrustedReason = 'NOT_SETTLED' | 'DISTURBED' | 'NOTHING_SEEN' | 'IMPLAUSIBLE';

/** Share of the load's memory that may be missing from free memory after unloading, in addition to the slack. */
const RETURN_SHARE = 0.15;
const RETURN_SLACK_BYTES = 64 * 1024 * 1024;
const PLAUSIBLE_FACTOR = 3;
/** Allowance for the engine's own code and libraries, which may be larger than a small model. */
const PLAUSIBLE_OVERHEAD_BYTES = 1024 * 1024 * 1024;

/**
 * Loads a model, generates once, measures the growth of memory, and unloads the model.
 *
 * It reads the anonymous memory of the engine's processes and the use of each GPU. If the processes cannot be read,
 * it uses the change of free RAM. Other programs change free RAM and GPUs too, so such readings count only if the
 * memory is free again after unloading.
 *
 * @throws the errors of the ports; `signal.reason` if the measurement was cancelled.
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
  // Other programs do not change the engine's own memory.
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

/** The growth of RAM, and of each GPU that the estimate names. */
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

/** Whether the memory of a load is free again in every pool. */
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
