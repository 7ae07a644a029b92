import { totalBytesOf, type Footprint, type FootprintInterval } from '@mai/memory-ledger';
import { VERSION_DRIFT } from '../estimate/interval.js';
import { growthBeside } from '../memory/growth.js';
import { bytesOn, isSure, type CalibrationTarget, type Observation } from './observation.js';
import { repeatFloor, scatterAround, weightedMedian, type Weighted } from './statistics.js';

/** Weight of a load of the same model with other settings. A load of another model has weight 1. */
const SAME_MODEL_WEIGHT = 3;
/**
 * Factor on the weight of a reading of the process. A load on the same engine version gets this factor too.
 */
const SURE_WEIGHT = 2;
/** One neighbour shifts a pool by 1/2 of the error, three neighbours by 3/4. */
const SHRINKAGE = 1;
/** A shift may add this share of a pool, or MOST_ADDED_BYTES if that is more. */
const MOST_ADDED_SHARE = 0.5;
const MOST_ADDED_BYTES = 1536 * 1024 * 1024;
/** The largest share of a pool that a shift may remove. */
const MOST_REMOVED_SHARE = 0.25;

/** The footprint, shifted by the errors of its neighbours' estimates; `null` where no pool has a neighbour. */
export function fromNeighbours(
  footprint: Footprint,
  target: CalibrationTarget,
  neighbours: readonly Observation[],
): Footprint | null {
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
        // A load without layers on this GPU does not show the error on this GPU.
        return seen === null || expected === null || expected === 0 ? null : seen - expected;
      }),
    ),
  }));
  const pools = [ram, ...gpus];
  if (pools.every(({ count }) => count === 0)) return null;
  const corrected = {
    ram: { mappedBytes: footprint.ram.mappedBytes, anonymousBytes: ram.bytes },
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes })),
  };
  const sameModel = neighbours.some(({ modelKey }) => modelKey === target.modelKey);
  return {
    ...corrected,
    interval: shifted(footprint, corrected, pools, sameModel),
    growth: growthBeside(footprint.growth, keptMargin(footprint, pools, sameModel)),
    source: footprint.source,
    confidence: footprint.confidence,
  };
}

/** The error of a neighbour's estimate: measured minus predicted bytes. */
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
    const sure = isSure(observation);
    const isThisVersion = observation.engine.version === engine.version;
    const weight =
      (observation.modelKey === modelKey ? SAME_MODEL_WEIGHT : 1) *
      (sure ? SURE_WEIGHT : 1) *
      (isThisVersion ? SURE_WEIGHT : 1);
    return [{ value, weight, isSure: sure, isThisVersion }];
  });
}

/** A pool after its correction, in bytes. */
interface Corrected {
  readonly bytes: number;
  /** How far the true value may differ from the corrected value, up or down. */
  readonly spread: number;
  /** The part of the median error that the shift leaves out; may be negative. */
  readonly held: number;
  /** Number of neighbours. */
  readonly count: number;
}

function correction(bytes: number, drift: number, errors: readonly Residual[]): Corrected {
  // No pool is smaller than zero. So an overestimate of a large model says no more about a small one than that it may take nothing.
  const seen = errors.map((one) => ({ ...one, value: Math.max(-bytes, one.value) }));
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
  // A new load scatters like the known loads. The median of the known loads is uncertain too, which adds 1 / count.
  const scatter = Math.max(floor, scatterAround(seen, centre)) * Math.sqrt(1 + 1 / count);
  // Few neighbours, or only neighbours on other versions, do not show how far estimates drift.
  const unknown = seen.some(({ isThisVersion }) => isThisVersion) ? 1 / (count + 1) : 1;
  return {
    bytes: Math.max(0, Math.round(bytes + shift)),
    spread: Math.hypot(scatter, unknown * drift * bytes),
    held: likely - shift,
    count,
  };
}

/**
 * The interval from the errors of the neighbours. A pool without neighbours keeps its share of the footprint's
 * interval. A model of low confidence keeps the footprint's whole interval unless this model was measured, because
 * other models do not show the errors of this model's estimate.
 */
function shifted(
  footprint: Footprint,
  corrected: Pick<Footprint, 'ram' | 'gpus'>,
  pools: readonly Corrected[],
  sameModel: boolean,
): FootprintInterval | null {
  const { interval } = footprint;
  if (interval === null) return null;
  const [before, after] = [totalBytesOf(footprint), totalBytesOf(corrected)];
  const spread = Math.hypot(...pools.map((one) => one.spread));
  const held = pools.reduce((sum, one) => sum + one.held, 0);
  const unseen = keptMargin(footprint, pools, sameModel);
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

/** The share of the estimate's own margin that the corrected interval keeps, 0 to 1. */
function keptMargin(
  { confidence }: Footprint,
  pools: readonly Corrected[],
  sameModel: boolean,
): number {
  if (confidence === 'low' && !sameModel) return 1;
  return pools.filter(({ count }) => count === 0).length / pools.length;
}
