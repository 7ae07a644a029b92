import { hasOwnMemory, type Resources } from '@mai/memory-ledger';
import type { LoadFailure, LoadFailureCode } from './load-failure.js';
import { backOffMs, type BackOffPolicy } from './back-off.js';

/** The failures in a row of one model. */
export interface FailureEntry {
  readonly failures: number;
  readonly code: LoadFailureCode;
  /** The message of the failed load, with the next step; null where an older version wrote the journal. */
  readonly message: string | null;
  /** Epoch milliseconds. */
  readonly lastAtMs: number;
  readonly coolingDownUntilMs: number;
  /**
   * Available bytes of RAM and GPU memory at the failure, if a retry needs more available memory; null if a
   * retry may succeed with the same memory.
   */
  readonly availableBytes: number | null;
  /** The `fileStamp` of the file that failed; null where it is not known. */
  readonly fileStamp: string | null;
}

/** Failures by model key. Plain data, kept in the journal. */
export type FailureLedger = Readonly<Record<string, FailureEntry>>;

/**
 * Failures that occur again until more memory is available or a setting changes. `MODEL_NOT_FOUND` is none of them: a
 * model whose file is gone is no candidate, and one that is a candidate again has its file back.
 */
const DETERMINISTIC: readonly LoadFailureCode[] = [
  'LOAD_REFUSED',
  'OUT_OF_MEMORY',
  'FILE_REFUSED',
  'CONTEXT_TOO_SMALL',
  'MEMORY_EXCEEDED',
];
/**
 * The longest first wait after `MODEL_NOT_FOUND`. A model whose file is gone is no candidate once the models are listed again, so the
 * wait only covers the age of the list. A folder that was unmounted then serves soon after it is back.
 */
const NOT_FOUND_BASE_MS = 15_000;
/** A load is tried again when this share of RAM has become available since the failure. */
const RELIEF_RATIO = 0.05;
/** If the engine of a model has not crashed for this time after the cool-down, its earlier crashes are forgotten. */
const STABLE_AFTER_MS = 10 * 60_000;
/** After this time the failure is forgotten: the runtime or its settings may have changed. */
const FORGET_AFTER_MS = 6 * 60 * 60_000;

/** The circumstances of a failure. */
interface FailureFacts {
  readonly nowMs: number;
  /** The `fileStamp` of the model; null where it is not known. */
  readonly fileStamp: string | null;
  readonly backOff: BackOffPolicy;
  readonly random: () => number;
}

/** The ledger with one more failed load. */
export function recordFailure(
  ledger: FailureLedger,
  failure: Pick<LoadFailure, 'modelKey' | 'code' | 'message'>,
  facts: FailureFacts & { readonly resources: Resources },
): FailureLedger {
  const earlier = ledger[failure.modelKey];
  const isNotFound = failure.code === 'MODEL_NOT_FOUND';
  // Failures of a file that was there say nothing about a file that is gone.
  const counts = earlier !== undefined && (!isNotFound || earlier.code === failure.code);
  const failures = (counts ? earlier.failures : 0) + 1;
  const { backOff } = facts;
  const baseMs = isNotFound ? Math.min(backOff.baseMs, NOT_FOUND_BASE_MS) : backOff.baseMs;
  const entry: FailureEntry = {
    failures,
    code: failure.code,
    message: failure.message,
    lastAtMs: facts.nowMs,
    coolingDownUntilMs: facts.nowMs + backOffMs({ ...backOff, baseMs }, failures, facts.random),
    availableBytes: DETERMINISTIC.includes(failure.code) ? availableBytes(facts.resources) : null,
    fileStamp: facts.fileStamp,
  };
  return { ...ledger, [failure.modelKey]: entry };
}

/**
 * The ledger with one more crash of a model's engine after its load. The first crash starts no cool-down, because a kill
 * from outside or one unusual request says nothing about the model. Each further crash counts like a failed load.
 */
export function recordCrash(
  ledger: FailureLedger,
  modelKey: string,
  { nowMs, backOff, random, fileStamp }: FailureFacts,
): FailureLedger {
  const earlier = ledger[modelKey];
  const failures = (earlier !== undefined && isRecent(earlier, nowMs) ? earlier.failures : 0) + 1;
  const entry: FailureEntry = {
    failures,
    code: 'ENGINE_CRASHED',
    message: `The engine of ${modelKey} has crashed after its load (crashes in succession: ${failures}). Choose another model or other load settings.`,
    lastAtMs: nowMs,
    coolingDownUntilMs: failures === 1 ? nowMs : nowMs + backOffMs(backOff, failures - 1, random),
    availableBytes: null,
    fileStamp,
  };
  return { ...ledger, [modelKey]: entry };
}

function isRecent({ lastAtMs, coolingDownUntilMs }: FailureEntry, nowMs: number): boolean {
  return nowMs >= lastAtMs && nowMs < coolingDownUntilMs + STABLE_AFTER_MS;
}

/** The ledger without the failures of a model that has loaded. Recent crashes stay, because a load does not disprove them. */
export function recordSuccess(
  ledger: FailureLedger,
  modelKey: string,
  nowMs: number,
): FailureLedger {
  const entry = ledger[modelKey];
  if (entry === undefined) return ledger;
  if (entry.code === 'ENGINE_CRASHED' && isRecent(entry, nowMs)) return ledger;
  return Object.fromEntries(Object.entries(ledger).filter(([key]) => key !== modelKey));
}

/**
 * The ledger without the failures of files that have changed since.
 *
 * @param fileStamps - by model key. A model without a stamp keeps its failures.
 */
export function withoutChangedFiles(
  ledger: FailureLedger,
  fileStamps: ReadonlyMap<string, string>,
): FailureLedger {
  const isChanged = ([modelKey, { fileStamp }]: readonly [string, FailureEntry]): boolean => {
    const latest = fileStamps.get(modelKey);
    return latest !== undefined && fileStamp !== null && latest !== fileStamp;
  };
  const entries = Object.entries(ledger);
  return entries.some(isChanged)
    ? Object.fromEntries(entries.filter((entry) => !isChanged(entry)))
    : ledger;
}

/**
 * For each model that failed: the end of the time in which it is not tried, in epoch milliseconds. `resources`
 * are the latest reading.
 */
export function coolDowns(
  ledger: FailureLedger,
  nowMs: number,
  resources: Resources | null,
): Record<string, number> {
  const until: Record<string, number> = {};
  for (const [modelKey, entry] of Object.entries(ledger)) {
    // After the clock was set back, the age of the failure is unknown.
    if (nowMs < entry.lastAtMs) continue;
    if (nowMs < entry.coolingDownUntilMs) {
      until[modelKey] = entry.coolingDownUntilMs;
    } else if (entry.availableBytes !== null && !hasChanged(entry, nowMs, resources)) {
      until[modelKey] = entry.lastAtMs + FORGET_AFTER_MS;
    }
  }
  return until;
}

function hasChanged(entry: FailureEntry, nowMs: number, resources: Resources | null): boolean {
  if (nowMs - entry.lastAtMs >= FORGET_AFTER_MS) return true;
  if (resources === null || !resources.observable) return false;
  const reliefBytes = availableBytes(resources) - (entry.availableBytes ?? 0);
  return reliefBytes >= RELIEF_RATIO * resources.ram.totalBytes;
}

function availableBytes(resources: Resources): number {
  const gpus = resources.gpus.filter((gpu) => hasOwnMemory(gpu, resources));
  return gpus.reduce(
    (sum, gpu) => sum + (gpu.availableBytes ?? 0),
    resources.ram.availableBytes ?? 0,
  );
}
