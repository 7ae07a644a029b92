import { readFileSync, renameSync, statSync } from 'node:fs';
import { writeFileAtomically, type SaveOutcome } from '../files/atomic-file.js';
import { ifLockFree, withFileLock } from '../files/file-lock.js';
import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { asError, systemErrorCode } from '../files/system-error.js';

const FORMAT = 1;

/** Measurements of this machine, kept in a file that several processes may use. */
export interface MeasurementStore<Measurement> {
  /** The measurements that the file had when it was last read or written, the newest last. */
  observations(): readonly Measurement[];
  /**
   * Reads the file again where another process has written it since it was last read or written here. Costs one `stat`.
   * Never throws: a file that cannot be read now leaves the measurements as they are.
   *
   * @returns whether it was read again.
   */
  refresh(): boolean;
  /**
   * Adds a measurement to the file, and keeps those that other processes added. Never rejects. The outcome says why
   * the measurement was not saved (a full disk, a folder without write access, `error` below).
   */
  record(measurement: Measurement): Promise<SaveOutcome>;
  /** New path of a damaged file, which was renamed so that the store starts empty; `null` otherwise. */
  readonly recoveredFrom: string | null;
  /**
   * Why the file is not used: it cannot be opened, it is damaged and cannot be renamed, or a newer version wrote it.
   */
  readonly error: Error | null;
}

/** Options of `openMeasurementStore`. */
export interface MeasurementStoreOptions<Measurement> {
  /** Path of the file. A missing folder is created. */
  readonly file: string;
  /** Whether parsed JSON is a measurement. Entries that are none are dropped. */
  readonly isMeasurement: (value: unknown) => value is Measurement;
  /** Chooses what is kept, so that the file stays small. The newest is last. */
  readonly prune: (measurements: readonly Measurement[]) => readonly Measurement[];
}

/**
 * Opens a file of measurements. A missing file is an empty store. A damaged file is renamed (`recoveredFrom`). Never
 * throws. `error` says why the file cannot be used.
 */
export function openMeasurementStore<Measurement>(
  options: MeasurementStoreOptions<Measurement>,
): MeasurementStore<Measurement> {
  const { file, isMeasurement, prune } = options;
  const lock = `${file}.lock`;
  let recoveredFrom: string | null = null;
  /** Reads under the lock, because another process may rename the damaged file and write a new file. */
  const setAsideIfDamaged = (): Content => {
    const content = read(file);
    if (content.kind === 'damaged') recoveredFrom = setAside(file);
    return content;
  };
  const measurementsIn = (content: Content): readonly Measurement[] =>
    content.kind === 'store' ? content.entries.filter(isMeasurement) : [];
  // Taken before the read: a write in between is then read again.
  const stampBefore = stampOf(file);
  const first = read(file);
  let problem = first.kind === 'unusable' ? first.error : null;
  if (first.kind === 'damaged') {
    try {
      ifLockFree(lock, setAsideIfDamaged);
    } catch (error) {
      problem = new Error(`${file} is damaged and cannot be renamed`, { cause: error });
    }
  }
  let all = measurementsIn(first);
  let stamp = stampBefore;

  const add = (measurement: Measurement): SaveOutcome => {
    const content = setAsideIfDamaged();
    if (content.kind === 'unusable') return { saved: false, error: content.error };
    const added = prune([...measurementsIn(content), measurement]);
    writeFileAtomically(file, serialize(added));
    // The lock is held, so no other process has written since.
    stamp = stampOf(file);
    all = added;
    return { saved: true, error: null };
  };
  return {
    get recoveredFrom() {
      return recoveredFrom;
    },
    error: problem,
    observations: () => all,
    refresh: () => {
      const now = stampOf(file);
      if (now === stamp) return false;
      const content = read(file);
      stamp = now;
      if (content.kind !== 'store') return false;
      all = measurementsIn(content);
      return true;
    },
    async record(measurement) {
      try {
        return await withFileLock(lock, () => add(measurement));
      } catch (error) {
        return { saved: false, error: asError(error) };
      }
    },
  };
}

function serialize(measurements: readonly unknown[]): string {
  const lines = measurements.map((measurement) => `    ${JSON.stringify(measurement)}`);
  return `{\n  "format": ${FORMAT},\n  "observations": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** A text that changes when the file is written; null without a file. Every write makes a new file. */
function stampOf(file: string): string | null {
  try {
    // Asked for each load option of a decision. On many machines there is no file, and an error takes longer than the rest.
    const found = statSync(file, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? null : `${found.ino}/${found.mtimeNs}/${found.size}`;
  } catch {
    // A folder without access. `read` reports it.
    return null;
  }
}

/** The content of the file. */
type Content =
  | { readonly kind: 'store'; readonly entries: readonly unknown[] }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'unusable'; readonly error: Error };

function read(file: string): Content {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { kind: 'store', entries: [] };
    return { kind: 'unusable', error: asError(error) };
  }
  const { format, observations } = parse(text);
  if (typeof format === 'number' && format > FORMAT) {
    const error = new Error(`${file} was written by a newer version (format ${format})`);
    return { kind: 'unusable', error };
  }
  return format === FORMAT && Array.isArray(observations)
    ? { kind: 'store', entries: observations }
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
