import { totalBytesOf, type Footprint } from '../estimate/footprint.js';
import { COVERAGE } from '../estimate/interval.js';
import { bytesOn, type Observation } from './observation.js';
import { weightedMedian, type Weighted } from './robust.js';
import { repeatFloor, scatterAround } from './scatter.js';

/** A reading of the process counts as much as several of free memory. */
const PROCESS_WEIGHT = 4;

/** Predictions of one load by two versions of this package differ by no more. */
const SAME_RATIO = 0.05;
const SAME_BYTES = 64 * 1024 * 1024;

/** The footprint as measured under the same configuration; null where a pool of it never was. */
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
  // What moves one pool tends to move the others, so spreads add up.
  const spread = pools.reduce((sum, one) => sum + one.spread, 0);
  return {
    ...measured,
    interval: {
      coverage: COVERAGE,
      lowBytes: Math.max(0, Math.floor(total - spread)),
      highBytes: Math.ceil(total + spread),
    },
    source: 'measured',
    confidence: same.some(({ measured: { method } }) => method === 'process') ? 'high' : 'medium',
  };
}

/**
 * Whether a load was expected to take the same, pool by pool. Another file under the same key, another GPU or
 * weights that were mapped then are another load; its error still says something, and it is a neighbour.
 */
function isOfSameFile(
  { anonymousBytes, gpus }: Observation['predicted'],
  footprint: Footprint,
): boolean {
  return (
    isNear(anonymousBytes, footprint.ram.anonymousBytes) &&
    gpus.length === footprint.gpus.length &&
    footprint.gpus.every(({ deviceKey, bytes }) => {
      const then = gpus.find((gpu) => gpu.deviceKey === deviceKey);
      return then !== undefined && isNear(then.bytes, bytes);
    })
  );
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= Math.max(SAME_BYTES, SAME_RATIO * Math.max(one, other));
}

/** Readings of one pool: their median, and how far the truth may lie from it. */
interface Pool {
  readonly bytes: number;
  readonly spread: number;
}

function poolOf(
  observations: readonly Observation[],
  read: (observation: Observation) => number | null,
): Pool | null {
  const values = observations.flatMap((observation): Weighted[] => {
    const value = read(observation);
    return value === null
      ? []
      : [{ value, weight: observation.measured.method === 'process' ? PROCESS_WEIGHT : 1 }];
  });
  if (values.length === 0) return null;
  const centre = weightedMedian(values);
  const sure = observations.some(({ measured }) => measured.method === 'process');
  const scatter = Math.max(repeatFloor(centre, sure), scatterAround(values, centre));
  // The floors are those of one reading; five of them leave little more than the load's own scatter.
  return { bytes: Math.round(centre), spread: scatter * Math.sqrt((1 + 1 / values.length) / 2) };
}
