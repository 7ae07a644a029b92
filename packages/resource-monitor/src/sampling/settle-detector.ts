import type { ResourceSnapshot } from '../snapshot.js';

/** Deadline of `waitUntilSettled` unless the caller sets one. */
export const SETTLE_TIMEOUT_MS = 8000;
/** CUDA frees memory up to 1.5 s after an unload, so steady readings before that prove nothing. */
const SHORTEST_WAIT_MS = 1500;
/** A pool has settled if its readings have stayed within the tolerance for this time. */
const QUIET_MS = 750;
/**
 * The tolerance is the larger of the two values. Normal use of a desktop changes memory by less than the
 * tolerance, and a model load changes it by more.
 */
const TOLERANCE_BYTES = 32 * 1024 * 1024;
const TOLERANCE_RATIO = 0.002;
/** Two equal readings are not enough, because they can be a coincidence. */
const FEWEST_READINGS = 3;
/** Readings further apart are not consecutive, because sampling was interrupted in between. */
const LONGEST_READING_INTERVAL_MS = 2000;
/** Rounding error of a reading's time, which is converted between two clocks of whole milliseconds. */
const SAME_READING_MS = 2;

/** A snapshot that was taken when memory had stopped moving, or at the deadline. */
export interface SettledSnapshot extends ResourceSnapshot {
  /** False if the deadline came first. The pools in `moving` were then still changing. */
  readonly settled: boolean;
  /** `ram`, or `gpu:` and a device key. */
  readonly moving: readonly string[];
  readonly waitedMs: number;
}

/** A snapshot and when it was taken, in monotonic milliseconds. */
export interface TimedSnapshot {
  readonly snapshot: ResourceSnapshot;
  readonly atMs: number;
}

/**
 * Observes `first`, and more samples from `next`, until memory has stopped moving since `startMs`, the
 * timeout has passed, or `next` returns null. Returns the last sample.
 */
export async function waitUntilSettled(
  first: TimedSnapshot,
  next: () => Promise<TimedSnapshot | null>,
  startMs: number,
  timeoutMs: number,
): Promise<SettledSnapshot> {
  const detector = createSettleDetector(startMs);
  for (let sample = first; ;) {
    const { snapshot, atMs } = sample;
    const moving = detector.observe(snapshot, atMs);
    const waitedMs = atMs - startMs;
    const result = { ...snapshot, settled: moving.length === 0, moving, waitedMs };
    if (result.settled || waitedMs >= timeoutMs) return result;
    const following = await next();
    if (following === null) return result;
    sample = following;
  }
}

/** Decides from samples whether memory has stopped moving. */
export interface SettleDetector {
  /** Adds a sample and returns the pools that are still moving; empty once all have settled. */
  observe(snapshot: ResourceSnapshot, atMs: number): readonly string[];
}

interface PoolReadings {
  readonly toleranceBytes: number;
  /** The time of each reading, on the clock of the samples, and the available memory. */
  readonly readings: { readonly atMs: number; readonly bytes: number }[];
}

/** `startMs` is the moment of the load or unload. Earlier readings are ignored. */
export function createSettleDetector(startMs: number): SettleDetector {
  const pools = new Map<string, PoolReadings>();
  /** Pools that were measured at least once. A pool that becomes unmeasured later has not settled. */
  const measured = new Set<string>();
  return {
    observe(snapshot, atMs) {
      const present = readingsOf(snapshot, atMs).filter(({ readAtMs }) => readAtMs >= startMs);
      for (const { key, totalBytes, bytes, readAtMs } of present) {
        let pool = pools.get(key);
        if (pool === undefined) {
          const toleranceBytes = Math.max(TOLERANCE_BYTES, totalBytes * TOLERANCE_RATIO);
          pools.set(key, (pool = { toleranceBytes, readings: [] }));
        }
        // A GPU reader has its own interval: several samples can carry the same reading.
        const lastMs = pool.readings.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
        if (readAtMs - lastMs > SAME_READING_MS) pool.readings.push({ atMs: readAtMs, bytes });
      }
      for (const { key } of readingsOf(snapshot, atMs)) measured.add(key);
      const listed = new Set(['ram', ...snapshot.gpus.map(({ deviceKey }) => keyOf(deviceKey))]);
      return [...measured].filter(
        (key) => listed.has(key) && !isQuiet(pools.get(key), startMs, atMs),
      );
    },
  };
}

function isQuiet(pool: PoolReadings | undefined, startMs: number, nowMs: number): boolean {
  const newest = pool?.readings.at(-1);
  if (pool === undefined || newest === undefined) return false;
  if (nowMs - startMs < SHORTEST_WAIT_MS) return false;
  // The window ends at the newest reading, which must be recent. A slow reader makes the window longer.
  const intervalMs = newest.atMs - (pool.readings.at(-2)?.atMs ?? newest.atMs);
  const slowMs = intervalMs > LONGEST_READING_INTERVAL_MS ? 0 : (FEWEST_READINGS - 1) * intervalMs;
  const windowMs = Math.max(QUIET_MS, slowMs + SAME_READING_MS);
  if (nowMs - newest.atMs > windowMs) return false;
  const within = pool.readings.filter(({ atMs }) => atMs >= newest.atMs - windowMs - 1);
  const first = within[0];
  if (first === undefined || within.length < FEWEST_READINGS) return false;
  if (newest.atMs - first.atMs < QUIET_MS / 2) return false;
  const values = within.map(({ bytes }) => bytes);
  return Math.max(...values) - Math.min(...values) <= pool.toleranceBytes;
}

function keyOf(deviceKey: string): string {
  return `gpu:${deviceKey}`;
}

function readingsOf(snapshot: ResourceSnapshot, atMs: number) {
  const { ram, gpus, timestampMs } = snapshot;
  const all = [
    { key: 'ram', totalBytes: ram.totalBytes, bytes: ram.availableBytes, readAtMs: atMs },
    ...gpus.map(({ deviceKey, totalBytes, availableBytes, readAtMs }) => ({
      key: keyOf(deviceKey),
      totalBytes: totalBytes ?? 0,
      bytes: availableBytes,
      readAtMs: readAtMs === null ? atMs : atMs - (timestampMs - readAtMs),
    })),
  ];
  return all.flatMap(({ bytes, ...rest }) => (bytes === null ? [] : [{ ...rest, bytes }]));
}
