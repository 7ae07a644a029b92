import type { FailureEntry, FailureLedger } from '../failures/failure-ledger.js';
import { isRecord } from '../is-record.js';
import type { LoadFailureCode } from '../failures/load-failure.js';

/** Protects a model or an instance from being unloaded. */
export interface Pin {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** `load`: set by a load by hand and removed by an unload by hand. */
  readonly reason: 'pin' | 'load';
  readonly sinceMs: number;
}

/** Memory that Mai holds free for another program. */
export interface Yield {
  readonly name: string;
  readonly bytes: number;
  /** The pools in which memory is held free. `all`: RAM and every GPU that has memory of its own. */
  readonly pools: 'ram' | 'gpu' | 'all';
  readonly sinceMs: number;
  /** Epoch milliseconds; null holds the memory until the yield is released. */
  readonly untilMs: number | null;
  /** The yield ends when this process ends; null when it depends on no process. */
  readonly processId: number | null;
}

/** The state that survives a restart. Plain data; every change makes a new value. */
export interface JournalState {
  readonly version: 1;
  /** Number of changes by processes other than the running autopilot. */
  readonly revision: number;
  /** The last revision that an autopilot has applied; null before the first. */
  readonly acknowledged: {
    readonly revision: number;
    readonly processId: number;
    readonly atMs: number;
  } | null;
  readonly pins: readonly Pin[];
  readonly yields: readonly Yield[];
  readonly failures: FailureLedger;
}

/** The empty journal. */
export const EMPTY_JOURNAL: JournalState = {
  version: 1,
  revision: 0,
  acknowledged: null,
  pins: [],
  yields: [],
  failures: {},
};

/** Parses a journal; null when the text is not a journal of this version. */
export function parseJournal(text: string): JournalState | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value['version'] !== 1 || !isCount(value['revision'])) return null;
  const { acknowledged, pins, yields, failures } = value;
  if (acknowledged !== null && !isAcknowledgement(acknowledged)) return null;
  if (!Array.isArray(pins) || !pins.every(isPin)) return null;
  if (!Array.isArray(yields) || !yields.every(isYield)) return null;
  const ledger = parseFailures(failures);
  if (ledger === null) return null;
  return {
    version: 1,
    revision: value['revision'],
    acknowledged,
    pins,
    yields,
    failures: ledger,
  };
}

function isAcknowledgement(value: unknown): value is NonNullable<JournalState['acknowledged']> {
  return (
    isRecord(value) &&
    isCount(value['revision']) &&
    isCount(value['processId']) &&
    isNumber(value['atMs'])
  );
}

function isPin(value: unknown): value is Pin {
  return (
    isRecord(value) &&
    typeof value['target'] === 'string' &&
    (value['reason'] === 'pin' || value['reason'] === 'load') &&
    isNumber(value['sinceMs'])
  );
}

function isYield(value: unknown): value is Yield {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    isCount(value['bytes']) &&
    (value['pools'] === 'ram' || value['pools'] === 'gpu' || value['pools'] === 'all') &&
    isNumber(value['sinceMs']) &&
    (value['untilMs'] === null || isNumber(value['untilMs'])) &&
    (value['processId'] === null || isCount(value['processId']))
  );
}

const FAILURE_CODES: Readonly<Record<LoadFailureCode, true>> = {
  ENGINE_CRASHED: true,
  LOAD_REFUSED: true,
  LOAD_FAILED: true,
  LOAD_TIMED_OUT: true,
  MODEL_NOT_FOUND: true,
  OUT_OF_MEMORY: true,
  FILE_REFUSED: true,
  CONTEXT_TOO_SMALL: true,
  MEMORY_EXCEEDED: true,
};

/** The failures; null where they are not valid. Older versions wrote them without messages and files. */
function parseFailures(value: unknown): FailureLedger | null {
  if (!isRecord(value)) return null;
  const ledger: Record<string, FailureEntry> = {};
  for (const [modelKey, entry] of Object.entries(value)) {
    const whole = isRecord(entry) ? { message: null, fileStamp: null, ...entry } : entry;
    if (!isFailureEntry(whole)) return null;
    ledger[modelKey] = whole;
  }
  return ledger;
}

function isFailureEntry(value: unknown): value is FailureEntry {
  return (
    isRecord(value) &&
    (value['message'] === null || typeof value['message'] === 'string') &&
    (value['fileStamp'] === null || typeof value['fileStamp'] === 'string') &&
    isCount(value['failures']) &&
    typeof value['code'] === 'string' &&
    Object.hasOwn(FAILURE_CODES, value['code']) &&
    isNumber(value['lastAtMs']) &&
    isNumber(value['coolingDownUntilMs']) &&
    (value['availableBytes'] === null || isNumber(value['availableBytes']))
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return isNumber(value) && value >= 0;
}
