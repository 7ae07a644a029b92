import { isSameLoadConfig } from '@mai/memory-ledger';
import { openMeasurementStore, type MeasurementStore } from './measurement-store.js';
import { isObservation, sameEngine, type Observation } from './observation.js';

/** Maximum number of observations of the same model, load configuration and engine version. */
const KEPT_OF_A_KIND = 5;
const KEPT_IN_ALL = 500;

/** Measured loads of this machine, kept in a file. */
export type CalibrationStore = MeasurementStore<Observation>;

/** Options of `openCalibrationStore`. */
export interface CalibrationStoreOptions {
  /** Path of the file. A missing folder is created. */
  readonly file: string;
  /** This machine's name. Observations of other machines stay in the file and are not used. */
  readonly host: string;
}

/**
 * Opens the calibration store. A missing file is an empty store. A damaged file is renamed (`recoveredFrom`). Never
 * throws. `error` says why the file cannot be used.
 */
export function openCalibrationStore({ file, host }: CalibrationStoreOptions): CalibrationStore {
  const store = openMeasurementStore({ file, isMeasurement: isObservation, prune });
  return {
    get recoveredFrom() {
      return store.recoveredFrom;
    },
    error: store.error,
    observations: () => store.observations().filter((observation) => observation.host === host),
    refresh: () => store.refresh(),
    record: (observation) => store.record(observation),
  };
}

/** Keeps the newest observations of each kind. */
function prune(observations: readonly Observation[]): readonly Observation[] {
  const newestFirst = [...observations].reverse();
  const kept: Observation[] = [];
  for (const observation of newestFirst) {
    const alike = kept.filter((other) => isSameKind(observation, other)).length;
    if (alike < KEPT_OF_A_KIND && kept.length < KEPT_IN_ALL) kept.push(observation);
  }
  return kept.reverse();
}

function isSameKind(a: Observation, b: Observation): boolean {
  return (
    a.host === b.host &&
    a.modelKey === b.modelKey &&
    sameEngine(a.engine, b.engine) &&
    isSameLoadConfig(a.loadConfig, b.loadConfig)
  );
}
