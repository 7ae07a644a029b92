import { hostname } from 'node:os';
import path from 'node:path';
import { openMeasurementStore } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import { BUSY_CPU_RATIO } from './others-cpu.js';
import { isSpeedMeasurement, type SpeedMeasurement } from './speed-measurement.js';

/** The most measurements of the same model, quantization, engine, placement and kind that are kept, on a busy machine and on an idle one. */
const KEPT_OF_A_KIND = 6;
const KEPT_IN_ALL = 400;

/** The measured speeds of this user on one machine. */
export interface SpeedStore {
  /** Oldest first. */
  measurements(): readonly SpeedMeasurement[];
  /** Reads the measurements that another process has stored. Returns whether there were any. Costs one `stat`. */
  refresh(): boolean;
  /** Stores a measurement. Only warns where that fails, because nothing depends on one measurement. */
  record(measurement: Unstamped<SpeedMeasurement>): Promise<void>;
}

/** A measurement without the fields that the store fills in. */
type Unstamped<Measurement> = Measurement extends unknown
  ? Omit<Measurement, 'host' | 'timestampMs'>
  : never;

/**
 * Opens `speeds.json` in the data folder. Warns where the file is damaged.
 *
 * @param host - the machine whose measurements are read and stored; default: this machine
 */
export function openSpeedStore(
  { folders, clock, warn }: HostContext,
  host: string = hostname(),
): SpeedStore {
  const store = openMeasurementStore({
    file: path.join(folders.data, 'speeds.json'),
    isMeasurement: isSpeedMeasurement,
    prune,
  });
  if (store.recoveredFrom !== null) {
    warn(
      `The file of measured speeds was damaged. Mai starts a new file and keeps the old one as ${store.recoveredFrom}.`,
    );
  }
  if (store.error !== null) warn(`The measured speeds cannot be used: ${store.error.message}.`);
  return {
    measurements: () => store.observations().filter((one) => one.host === host),
    refresh: () => store.refresh(),
    record: async (measurement) => {
      const stamped = { ...measurement, host, timestampMs: clock.nowMs() };
      const { error } = await store.record(stamped);
      if (error !== null) warn(`The measured speed cannot be stored: ${error.message}.`);
    },
  };
}

/** Keeps the newest measurements of each kind. */
function prune(measurements: readonly SpeedMeasurement[]): readonly SpeedMeasurement[] {
  const counts = new Map<string, number>();
  const kept: SpeedMeasurement[] = [];
  for (const measurement of [...measurements].reverse()) {
    const kind = kindOf(measurement);
    const alike = counts.get(kind) ?? 0;
    if (alike >= KEPT_OF_A_KIND || kept.length >= KEPT_IN_ALL) continue;
    counts.set(kind, alike + 1);
    kept.push(measurement);
  }
  return kept.reverse();
}

function kindOf(measurement: SpeedMeasurement): string {
  switch (measurement.kind) {
    case 'tokens': {
      const { test, identity, placement, machine, othersCpuRatio } = measurement.observation;
      // So measurements of a busy machine do not replace those of an idle one. Older measurements lack the figure.
      const isBusy = (othersCpuRatio ?? 0) >= BUSY_CPU_RATIO;
      return JSON.stringify([measurement.host, test, identity, placement, machine.gpu, isBusy]);
    }
    case 'load':
      return JSON.stringify([measurement.host, 'load', measurement.modelKey, measurement.engine]);
    case 'ram':
      return JSON.stringify([measurement.host, 'ram']);
  }
}
