import type { ResourceSnapshot } from '../snapshot.js';

/** CUDA frees up to 1.5 s after an unload; before that, quiet means nothing. */
const SHORTEST_WAIT_MS = 1500;
/** Still for so long is still. */
const QUIET_MS = 750;
/** A desktop moves by less all the time, a model by more. */
const TOLERANCE_BYTES = 32 * 1024 * 1024;
const TOLERANCE_RATIO = 0.002;
/** Two readings can be alike by chance. */
const FEWEST_READINGS = 3;
/** Readings further apart are of before and after a gap. */
const SLOWEST_PACE_MS = 2000;
/** A reading's time goes through two clocks of whole milliseconds. */
const SAME_READING_MS = 2;

/** Tells from samples when memory has stopped moving. */
export interface SettleDetector {
  /** Takes in a sample; the pools that are still moving, none when it has settled. */
  observe(snapshot: ResourceSnapshot, atMs: number): readonly string[];
}

interface PoolReadings {
  readonly toleranceBytes: number;
  /** When a reading was taken, on the clock of the samples, and what was available then. */
  readonly readings: { readonly atMs: number; readonly bytes: number }[];
}

/** `startMs` is the moment of the load or unload; only what was read after it counts. */
export function createSettleDetector(startMs: number): SettleDetector {
  const pools = new Map<string, PoolReadings>();
  /** Pools that were measured once. One that is not any more has not settled: nobody knows. */
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
        // A GPU's reader has a pace of its own: the same reading twice is one reading.
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
  // The stretch ends at the newest reading, which must itself be recent. A slow reader makes it longer.
  const paceMs = newest.atMs - (pool.readings.at(-2)?.atMs ?? newest.atMs);
  const slowMs = paceMs > SLOWEST_PACE_MS ? 0 : (FEWEST_READINGS - 1) * paceMs;
  const stretchMs = Math.max(QUIET_MS, slowMs + SAME_READING_MS);
  if (nowMs - newest.atMs > stretchMs) return false;
  const within = pool.readings.filter(({ atMs }) => atMs >= newest.atMs - stretchMs - 1);
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
