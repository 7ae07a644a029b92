import { readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../cache/atomic-file.js';
import { withFileLock } from './file-lock.js';
import { isObservation, sameEngine, sameLoadConfig, type Observation } from './observation.js';

const FORMAT = 1;
/** Of one model, configuration and engine; older ones say nothing new. */
const KEPT_OF_A_KIND = 5;
const KEPT_IN_ALL = 500;

/** What loads on this machine took, kept in a file. */
export interface CalibrationStore {
  /** All observations of this machine, the newest last. */
  observations(): readonly Observation[];
  /** Adds one, atomically, next to what other processes added in the meantime. */
  record(observation: Observation): Promise<void>;
  /** Set where the file was damaged: the store started afresh, and the old file is kept here. */
  readonly recoveredFrom: string | null;
}

/** Where the store is kept, and for which machine. */
export interface CalibrationStoreOptions {
  readonly file: string;
  /** Observations of other machines stay in the file and are left alone. */
  readonly host: string;
}

/** Opens the calibration store; a missing file is an empty store, a damaged one is set aside. */
export function openCalibrationStore(options: CalibrationStoreOptions): CalibrationStore {
  const { file, host } = options;
  const first = load(file);
  let all = first.observations;
  return {
    recoveredFrom: first.recoveredFrom,
    observations: () => all.filter((observation) => observation.host === host),
    async record(observation) {
      await withFileLock(
        `${file}.lock`,
        () => {
          all = prune([...load(file).observations, observation]);
          writeFileAtomically(file, serialize(all));
        },
        (ms) => sleep(ms),
      );
    },
  };
}

function serialize(observations: readonly Observation[]): string {
  const lines = observations.map((observation) => `    ${JSON.stringify(observation)}`);
  return `{\n  "format": ${FORMAT},\n  "observations": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function load(file: string): {
  readonly observations: readonly Observation[];
  readonly recoveredFrom: string | null;
} {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { observations: [], recoveredFrom: null };
  }
  try {
    const stored = JSON.parse(text) as { format?: unknown; observations?: unknown } | null;
    if (stored?.format === FORMAT && Array.isArray(stored.observations))
      return { observations: stored.observations.filter(isObservation), recoveredFrom: null };
  } catch {
    // Set aside below, like any content that is not a store.
  }
  return { observations: [], recoveredFrom: setAside(file) };
}

function setAside(file: string): string {
  const aside = `${file}.damaged`;
  try {
    renameSync(file, aside);
    return aside;
  } catch {
    return file;
  }
}

/** Keeps the newest of each kind. */
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
    sameLoadConfig(a.loadConfig, b.loadConfig)
  );
}
