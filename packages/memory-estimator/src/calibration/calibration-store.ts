import { readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../cache/atomic-file.js';
import type { SaveOutcome } from '../cache/stamped-store.js';
import { ifLockFree, withFileLock } from './file-lock.js';
import { isObservation, sameEngine, sameLoadConfig, type Observation } from './observation.js';

const FORMAT = 1;
/** Of one model, configuration and engine; older ones say nothing new. */
const KEPT_OF_A_KIND = 5;
const KEPT_IN_ALL = 500;

/** What loads on this machine took, kept in a file. */
export interface CalibrationStore {
  /** All observations of this machine, the newest last. */
  observations(): readonly Observation[];
  /**
   * Adds one, atomically, next to what other processes added in the meantime. Never rejects: the outcome
   * tells where it could not be kept (a full disk, a folder without write access, `error` below).
   */
  record(observation: Observation): Promise<SaveOutcome>;
  /** Set where the file was damaged: the store started afresh, and the old file is kept here. */
  readonly recoveredFrom: string | null;
  /** Why the file is neither read nor written: it can't be opened or mended, or a newer version wrote it. */
  readonly error: Error | null;
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
  const lock = `${file}.lock`;
  let recoveredFrom: string | null = null;
  /** Under the lock: another process may have set the file aside and begun a new one. */
  const setAsideIfDamaged = (): Content => {
    const content = read(file);
    if (content.kind === 'damaged') recoveredFrom = setAside(file);
    return content;
  };
  const first = read(file);
  let problem = first.kind === 'unusable' ? first.error : null;
  if (first.kind === 'damaged') {
    try {
      ifLockFree(lock, setAsideIfDamaged);
    } catch (error) {
      problem = new Error(`${file} is damaged and can't be set aside`, { cause: error });
    }
  }
  let all = observationsIn(first);

  const add = (observation: Observation): SaveOutcome => {
    const content = setAsideIfDamaged();
    if (content.kind === 'unusable') return { saved: false, error: content.error };
    const added = prune([...observationsIn(content), observation]);
    writeFileAtomically(file, serialize(added));
    all = added;
    return { saved: true, error: null };
  };
  return {
    get recoveredFrom() {
      return recoveredFrom;
    },
    error: problem,
    observations: () => all.filter((observation) => observation.host === host),
    async record(observation) {
      try {
        return await withFileLock(
          lock,
          () => add(observation),
          (ms) => sleep(ms),
        );
      } catch (error) {
        return { saved: false, error: error instanceof Error ? error : new Error(String(error)) };
      }
    },
  };
}

function serialize(observations: readonly Observation[]): string {
  const lines = observations.map((observation) => `    ${JSON.stringify(observation)}`);
  return `{\n  "format": ${FORMAT},\n  "observations": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** What a file holds. */
type Content =
  | { readonly kind: 'store'; readonly observations: readonly Observation[] }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'unusable'; readonly error: Error };

function observationsIn(content: Content): readonly Observation[] {
  return content.kind === 'store' ? content.observations : [];
}

function read(file: string): Content {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { kind: 'store', observations: [] };
    return { kind: 'unusable', error: error as Error };
  }
  const { format, observations } = parse(text);
  if (typeof format === 'number' && format > FORMAT) {
    const error = new Error(`${file} was written by a newer version (format ${format})`);
    return { kind: 'unusable', error };
  }
  return format === FORMAT && Array.isArray(observations)
    ? { kind: 'store', observations: observations.filter(isObservation) }
    : { kind: 'damaged' };
}

function parse(text: string): { readonly format?: unknown; readonly observations?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    // Damaged like any content that is not a store.
    return {};
  }
}

function setAside(file: string): string {
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  return aside;
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
