import { totalBytesOf, type Footprint, type FootprintInterval } from '../estimate/footprint.js';
import { VERSION_DRIFT } from '../estimate/interval.js';
import type { CalibrationTarget } from './calibration-target.js';
import { bytesOn, type Observation } from './observation.js';
import { weightedMedian, type Weighted } from './robust.js';
import { repeatFloor, scatterAround } from './scatter.js';

/** The same model under other settings says more than other models do. */
const SAME_MODEL_WEIGHT = 3;
/** Readings of free memory and of other versions of the engine count by half. */
const SURE_WEIGHT = 2;
/** One neighbour is believed by half, three by three quarters. */
const SHRINKAGE = 1;
/** What an engine adds may be large for a small model, but never beyond this. */
const MOST_ADDED_SHARE = 0.5;
const MOST_ADDED_BYTES = 1536 * 1024 * 1024;
const MOST_REMOVED_SHARE = 0.25;

/** The footprint shifted by what neighbours took above or below their own estimates. */
export function fromNeighbours(
  footprint: Footprint,
  target: CalibrationTarget,
  neighbours: readonly Observation[],
): Footprint {
  const drift = VERSION_DRIFT[footprint.confidence];
  const ram = correction(
    footprint.ram.anonymousBytes,
    drift,
    residuals(neighbours, target, ({ measured, predicted }) =>
      measured.anonymousBytes === null ? null : measured.anonymousBytes - predicted.anonymousBytes,
    ),
  );
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => ({
    deviceKey,
    ...correction(
      bytes,
      drift,
      residuals(neighbours, target, ({ measured, predicted }) => {
        const seen = bytesOn(measured.gpus, deviceKey);
        const expected = bytesOn(predicted.gpus, deviceKey);
        // A GPU that was to hold nothing of a model says nothing about one that does.
        return seen === null || expected === null || expected === 0 ? null : seen - expected;
      }),
    ),
  }));
  const pools = [ram, ...gpus];
  if (pools.every(({ count }) => count === 0)) return footprint;
  const corrected = {
    ram: { mappedBytes: footprint.ram.mappedBytes, anonymousBytes: ram.bytes },
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes })),
  };
  const sameModel = neighbours.some(({ modelKey }) => modelKey === target.modelKey);
  return {
    ...corrected,
    interval: shifted(footprint, corrected, pools, sameModel),
    source: footprint.source,
    confidence: footprint.confidence,
  };
}

/** How far one neighbour's reading lay above its estimate. */
interface Residual extends Weighted {
  readonly isSure: boolean;
  readonly isThisVersion: boolean;
}

function residuals(
  neighbours: readonly Observation[],
  { modelKey, engine }: CalibrationTarget,
  read: (observation: Observation) => number | null,
): readonly Residual[] {
  return neighbours.flatMap((observation) => {
    const value = read(observation);
    if (value === null) return [];
    const isSure = observation.measured.method === 'process';
    const isThisVersion = observation.engine.version === engine.version;
    const weight =
      (observation.modelKey === modelKey ? SAME_MODEL_WEIGHT : 1) *
      (isSure ? SURE_WEIGHT : 1) *
      (isThisVersion ? SURE_WEIGHT : 1);
    return [{ value, weight, isSure, isThisVersion }];
  });
}

/** A pool after its correction. */
interface Corrected {
  readonly bytes: number;
  /** How far the truth may lie from it, each way. */
  readonly spread: number;
  /** What shrinkage held back, which may be true all the same; signed. */
  readonly held: number;
  readonly count: number;
}

function correction(bytes: number, drift: number, seen: readonly Residual[]): Corrected {
  const count = seen.length;
  if (count === 0) return { bytes, spread: 0, held: 0, count };
  const centre = weightedMedian(seen);
  const highest = Math.max(MOST_ADDED_SHARE * bytes, MOST_ADDED_BYTES);
  const likely = Math.min(highest, Math.max(-MOST_REMOVED_SHARE * bytes, centre));
  const shift = (likely * count) / (count + SHRINKAGE);
  const floor = repeatFloor(
    bytes,
    seen.some(({ isSure }) => isSure),
  );
  // A new load scatters like the ones seen, around a centre that few of them leave uncertain.
  const scatter = Math.max(floor, scatterAround(seen, centre)) * Math.sqrt(1 + 1 / count);
  // Few neighbours, or none on this version, do not show how far estimates stray.
  const unknown = seen.some(({ isThisVersion }) => isThisVersion) ? 1 / (count + 1) : 1;
  return {
    bytes: Math.max(0, Math.round(bytes + shift)),
    spread: Math.hypot(scatter, unknown * drift * bytes),
    held: likely - shift,
    count,
  };
}

/**
 * The estimate's own interval gives way to what neighbours show; pools without any keep their share of it,
 * and so does all of a model that is little known: other models say nothing about what is odd in it.
 */
function shifted(
  footprint: Footprint,
  corrected: Pick<Footprint, 'ram' | 'gpus'>,
  pools: readonly Corrected[],
  sameModel: boolean,
): FootprintInterval | null {
  const { interval, confidence } = footprint;
  if (interval === null) return null;
  const [before, after] = [totalBytesOf(footprint), totalBytesOf(corrected)];
  const spread = Math.hypot(...pools.map((one) => one.spread));
  const held = pools.reduce((sum, one) => sum + one.held, 0);
  const unseen =
    confidence === 'low' && !sameModel
      ? 1
      : pools.filter(({ count }) => count === 0).length / pools.length;
  return {
    coverage: interval.coverage,
    lowBytes: Math.max(
      0,
      Math.floor(after - spread + Math.min(0, held) - unseen * (before - interval.lowBytes)),
    ),
    highBytes: Math.ceil(
      after + spread + Math.max(0, held) + unseen * (interval.highBytes - before),
    ),
  };
}
