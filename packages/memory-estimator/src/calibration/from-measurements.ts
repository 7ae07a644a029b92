import { totalBytesOf, type Footprint } from '@mai/memory-ledger';
import { COVERAGE } from '../estimate/interval.js';
import { growthBeside } from '../memory/growth.js';
import { bytesOn, isSure, type Observation } from './observation.js';
import { repeatFloor, scatterAround, weightedMedian, type Weighted } from './statistics.js';

/** Weight of a reading of the engine's process, or of its buffers. A reading of free memory has weight 1. */
const PROCESS_WEIGHT = 4;

/** How far two versions of this package may differ in their estimates of the same load. */
const SAME_RATIO = 0.05;
const SAME_BYTES = 64 * 1024 * 1024;

/** The footprint with measured bytes; `null` if RAM or a GPU of the footprint was not measured. */
export function fromMeasurements(
  footprint: Footprint,
  ofSameLoad: readonly Observation[],
): Footprint | null {
  const same = ofSameLoad.filter(({ predicted }) => isOfSameFile(predicted, footprint));
  const ram = poolOf(same, ({ measured }) => measured.anonymousBytes);
  const gpus = footprint.gpus.map(({ deviceKey }) => ({
    deviceKey,
    seen: poolOf(same, ({ measured }) => bytesOn(measured.gpus, deviceKey)),
  }));
  if (ram === null || gpus.some(({ seen }) => seen === null)) return null;
  const measured = {
    ram: { mappedBytes: footprint.ram.mappedBytes, anonymousBytes: ram.bytes },
    gpus: gpus.map(({ deviceKey, seen }) => ({ deviceKey, bytes: seen?.bytes ?? 0 })),
  };
  const total = totalBytesOf(measured);
  const pools = [ram, ...gpus.flatMap(({ seen }) => seen ?? [])];
  // The spreads are added, because the errors of the pools have common causes.
  const spread = pools.reduce((sum, one) => sum + one.spread, 0);
  return {
    ...measured,
    interval: {
      coverage: COVERAGE,
      lowBytes: Math.max(0, Math.floor(total - spread)),
      highBytes: Math.ceil(total + spread),
    },
    // Measured right after a load, so the interval includes no growth.
    growth: growthBeside(footprint.growth, 0),
    source: 'measured',
    confidence: same.some(isSure) ? 'high' : 'medium',
  };
}

/**
 * Whether an observation's estimate equals this footprint in every pool. The two differ if the model key named
 * another file at that time, or if the GPUs or the mapping of weights changed. An observation that differs counts
 * as a neighbour.
 */
function isOfSameFile(
  { anonymousBytes, gpus }: Observation['predicted'],
  footprint: Footprint,
): boolean {
  return (
    isNear(anonymousBytes, footprint.ram.anonymousBytes) &&
    gpus.length === footprint.gpus.length &&
    footprint.gpus.every(({ deviceKey, bytes }) => {
      const then = bytesOn(gpus, deviceKey);
      return then !== null && isNear(then, bytes);
    })
  );
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= Math.max(SAME_BYTES, SAME_RATIO * Math.max(one, other));
}

/** The median of the readings of one pool, and how far the true value may differ from the median, in bytes. */
interface MeasuredPool {
  readonly bytes: number;
  readonly spread: number;
}

function poolOf(
  observations: readonly Observation[],
  read: (observation: Observation) => number | null,
): MeasuredPool | null {
  const values = observations.flatMap((observation): Weighted[] => {
    const value = read(observation);
    return value === null ? [] : [{ value, weight: isSure(observation) ? PROCESS_WEIGHT : 1 }];
  });
  if (values.length === 0) return null;
  const centre = weightedMedian(values);
  const floor = repeatFloor(centre, observations.some(isSure));
  const scatter = Math.max(floor, scatterAround(values, centre));
  // The factor is 1 for one reading. With more readings it falls to the square root of 1/2, because the scatter of
  // the load itself remains.
  return { bytes: Math.round(centre), spread: scatter * Math.sqrt((1 + 1 / values.length) / 2) };
}
