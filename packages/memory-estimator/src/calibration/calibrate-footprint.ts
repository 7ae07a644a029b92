import type { Footprint, FootprintInterval } from '../estimate/footprint.js';
import { COVERAGE } from '../estimate/interval.js';
import type { LoadConfig } from '../settings/load-config.js';
import { sameEngine, sameLoadConfig, type Engine, type Observation } from './observation.js';
import { medianDeviation, weightedMedian, type Weighted } from './robust.js';

const MIB = 1024 * 1024;

/** A median deviation times this spans nine of ten values of a bell curve (1.645 / 0.6745). */
const DEVIATIONS = 2.44;
/** Repeated loads differ by this at least: allocators, thread stacks, other pages of the engine. */
const REPEAT_SHARE = 0.012;
const REPEAT_BYTES = 32 * MIB;
/** Free memory is everybody's. */
const FREE_MEMORY_SHARE = 0.1;
const FREE_MEMORY_BYTES = 256 * MIB;
/** The same model under other settings says more than other models do. */
const SAME_MODEL_WEIGHT = 3;
/** One neighbour is believed by half, three by three quarters. */
const SHRINKAGE = 1;
/** What an engine adds may be large for a small model, but never beyond this. */
const MOST_ADDED_SHARE = 0.5;
const MOST_ADDED_BYTES = 1536 * MIB;
const MOST_REMOVED_SHARE = 0.25;

/** The load that a footprint is for. */
export interface CalibrationTarget {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
}

/**
 * A footprint corrected by what loads really took on this machine.
 *
 * The same model, configuration and engine: the median of what was measured takes the place of everything
 * but the mapped weights. Neighbours (the same model under other settings, other models on the same engine)
 * shift the estimate by the median of what was measured above or below it. The interval follows the spread.
 */
export function calibrateFootprint(
  footprint: Footprint,
  target: CalibrationTarget,
  observations: readonly Observation[],
): Footprint {
  const onEngine = observations.filter(({ engine }) => sameEngine(engine, target.engine));
  const same = onEngine.filter(
    ({ modelKey, loadConfig }) =>
      modelKey === target.modelKey && sameLoadConfig(loadConfig, target.loadConfig),
  );
  const measured = fromMeasurements(footprint, same);
  return measured ?? fromNeighbours(footprint, target, onEngine);
}

function fromMeasurements(footprint: Footprint, same: readonly Observation[]): Footprint | null {
  const ram = pool(same, ({ measured }) => measured.anonymousBytes);
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => ({
    deviceKey,
    estimated: bytes,
    seen: pool(same, ({ measured }) => bytesOn(measured.gpus, deviceKey)),
  }));
  if (ram === null || gpus.some(({ seen }) => seen === null)) return null;
  const all = [ram, ...gpus.flatMap(({ seen }) => seen ?? [])];
  const centre = {
    ram: { mappedBytes: footprint.ram.mappedBytes, anonymousBytes: Math.round(ram.centre) },
    gpus: gpus.map(({ deviceKey, estimated, seen }) => ({
      deviceKey,
      bytes: Math.round(seen?.centre ?? estimated),
    })),
  };
  return {
    ...footprint,
    ...centre,
    interval: around(
      totalOf(centre),
      all.reduce((sum, { spread }) => sum + spread, 0),
    ),
    source: 'measured',
    confidence: same.some(({ measured }) => measured.method === 'process') ? 'high' : 'medium',
  };
}

/** Readings of one pool: their median, and how far the truth may lie from it. */
interface Pool {
  readonly centre: number;
  readonly spread: number;
}

function pool(
  observations: readonly Observation[],
  read: (observation: Observation) => number | null,
): Pool | null {
  const values = observations.flatMap((observation): Weighted[] => {
    const value = read(observation);
    // A reading of the process counts as much as several of free memory.
    return value === null
      ? []
      : [{ value, weight: observation.measured.method === 'process' ? 4 : 1 }];
  });
  if (values.length === 0) return null;
  const centre = weightedMedian(values);
  const sure = observations.some(({ measured }) => measured.method === 'process');
  const floor = sure
    ? REPEAT_SHARE * centre + REPEAT_BYTES
    : FREE_MEMORY_SHARE * centre + FREE_MEMORY_BYTES;
  const scatter = Math.max(floor, DEVIATIONS * medianDeviation(values, centre));
  return { centre, spread: scatter * Math.sqrt((1 + 1 / values.length) / 2) };
}

function fromNeighbours(
  footprint: Footprint,
  target: CalibrationTarget,
  neighbours: readonly Observation[],
): Footprint {
  const weightOf = ({ modelKey, measured }: Observation) =>
    (modelKey === target.modelKey ? SAME_MODEL_WEIGHT : 1) *
    (measured.method === 'process' ? 2 : 1);
  const residuals = (
    read: (observation: Observation) => { predicted: number; measured: number } | null,
  ): readonly Weighted[] =>
    neighbours.flatMap((observation) => {
      const pair = read(observation);
      return pair === null
        ? []
        : [{ value: pair.measured - pair.predicted, weight: weightOf(observation) }];
    });
  const ram = correction(
    footprint.ram.anonymousBytes,
    residuals(({ measured, predicted }) =>
      measured.anonymousBytes === null
        ? null
        : { measured: measured.anonymousBytes, predicted: predicted.anonymousBytes },
    ),
  );
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => ({
    deviceKey,
    ...correction(
      bytes,
      residuals(({ measured, predicted }) => {
        const [seen, expected] = [
          bytesOn(measured.gpus, deviceKey),
          bytesOn(predicted.gpus, deviceKey),
        ];
        // A GPU that held nothing of the model says nothing about one that does.
        return seen === null || expected === null || expected === 0
          ? null
          : { measured: seen, predicted: expected };
      }),
    ),
  }));
  const pools = [ram, ...gpus];
  if (pools.every(({ count }) => count === 0)) return footprint;
  const corrected = {
    ram: { mappedBytes: footprint.ram.mappedBytes, anonymousBytes: ram.bytes },
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes })),
  };
  return {
    ...footprint,
    ...corrected,
    interval: shifted(footprint, corrected, pools),
  };
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

function correction(bytes: number, residuals: readonly Weighted[]): Corrected {
  const count = residuals.length;
  if (count === 0) return { bytes, spread: 0, held: 0, count };
  const centre = weightedMedian(residuals);
  const highest = Math.max(MOST_ADDED_SHARE * bytes, MOST_ADDED_BYTES);
  const likely = Math.min(highest, Math.max(-MOST_REMOVED_SHARE * bytes, centre));
  const shift = (likely * count) / (count + SHRINKAGE);
  // A new load scatters like the ones seen, around a centre that few of them leave uncertain.
  const scatter = Math.max(
    REPEAT_SHARE * bytes + REPEAT_BYTES,
    DEVIATIONS * medianDeviation(residuals, centre),
  );
  return {
    bytes: Math.max(0, Math.round(bytes + shift)),
    spread: scatter * Math.sqrt(1 + 1 / count),
    held: likely - shift,
    count,
  };
}

/** The estimate's own interval gives way to what neighbours show; pools without any keep their share of it. */
function shifted(
  footprint: Footprint,
  corrected: Pick<Footprint, 'ram' | 'gpus'>,
  pools: readonly Corrected[],
): FootprintInterval | null {
  const { interval } = footprint;
  if (interval === null) return null;
  const [before, after] = [totalOf(footprint), totalOf(corrected)];
  const spread = Math.hypot(...pools.map((one) => one.spread));
  const held = pools.reduce((sum, one) => sum + one.held, 0);
  const unseen = pools.filter(({ count }) => count === 0).length / pools.length;
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

function around(centre: number, spread: number): FootprintInterval {
  return {
    coverage: COVERAGE,
    lowBytes: Math.max(0, Math.floor(centre - spread)),
    highBytes: Math.ceil(centre + spread),
  };
}

function bytesOn(
  gpus: readonly { readonly deviceKey: string; readonly bytes: number }[],
  deviceKey: string,
): number | null {
  return gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null;
}

function totalOf({ ram, gpus }: Pick<Footprint, 'ram' | 'gpus'>): number {
  return ram.mappedBytes + ram.anonymousBytes + gpus.reduce((sum, { bytes }) => sum + bytes, 0);
}
