import { readFileSync, renameSync } from 'node:fs';
import { isSameLoadConfig } from '@mai/memory-ledger';
import { writeFileAtomically, type SaveOutcome } from '../files/atomic-file.js';
import { ifLockFree, withFileLock } from '../files/file-lock.js';
import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { asError, systemErrorCode } from '../files/system-error.js';
import { isObservation, sameEngine, type Observation } from './observation.js';

const FORMAT = 1;
/** Maximum number of observations of the same model, load configuration and engine version. */
const KEPT_OF_A_KIND = 5;
const KEPT_IN_ALL = 500;

/** Measured loads of this machine, kept in a file. */
export interface CalibrationStore {
  /** The observations of this machine, the newest last. */
  observations(): readonly Observation[];
  /**
   * Adds an observation to the file, and keeps those that other processes added. Never rejects. The outcome tells why
   * the observation was not saved (a full disk, a folder without write access, `error` below).
   */
  record(observation: Observation): Promise<SaveOutcome>;
  /** New path of a damaged file, which was renamed so that the store starts empty; `null` otherwise. */
  readonly recoveredFrom: string | null;
  /**
   * Why the file is not used: it cannot be opened, it is damaged and cannot be renamed, or a newer version wrote it.
   */
  readonly error: Error | null;
}

/** Options of `openCalibrationStore`. */
export interface CalibrationStoreOptions {
  /** Path of the file. A missing folder is created. */
  readonly file: string;
  /** This machine's name. Observations of other machines stay in the file and are not used. */
  readonly host: string;
}

/**
 * Opens the calibration store. A missing file is an empty store. A damaged file is renamed (`recoveredFrom`). Never
 * throws. `error` tells why the file cannot be used.
 */
export function openCalibrationStore(options: CalibrationStoreOptions): CalibrationStore {
  const { file, host } = options;
  const lock = `${file}.lock`;
  let recoveredFrom: string | null = null;
  /** Reads under the lock, because another process may rename the damaged file and write a new file. */
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
      problem = new Error(`${file} is damaged and can't be renamed`, { cause: error });
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
        return await withFileLock(lock, () => add(observation));
      } catch (error) {
        return { saved: false, error: asError(error) };
      }
    },
  };
}

function serialize(observations: readonly Observation[]): string {
  const lines = observations.map((observation) => `    ${JSON.stringify(observation)}`);
  return `{\n  "format": ${FORMAT},\n  "observations": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** The content of the file. */
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
    if (systemErrorCode(error) === 'ENOENT') return { kind: 'store', observations: [] };
    return { kind: 'unusable', error: asError(error) };
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

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    // Text that is not JSON counts as damaged, like JSON that is not a store.
    return {};
  }
}

function setAside(file: string): string {
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  return aside;
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
