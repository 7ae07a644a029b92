import { totalBytesOf, type Footprint } from '../estimate/footprint.js';
import { COVERAGE } from '../estimate/interval.js';
import { bytesOn, type Observation } from './observation.js';
import { weightedMedian, type Weighted } from './robust.js';
import { repeatFloor, scatterAround } from './scatter.js';

/** A reading of the process counts as much as several of free memory. */
const PROCESS_WEIGHT = 4;

/** The footprint as measured under the same configuration; null where a pool of it never was. */
export function fromMeasurements(
  footprint: Footprint,
  same: readonly Observation[],
): Footprint | null {
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
