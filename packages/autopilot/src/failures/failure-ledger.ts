import type { Resources } from '@mai/memory-ledger';
import type { LoadFailure, LoadFailureCode } from '../switch/load-failure.js';
import { backOffMs, type BackOffPolicy } from './back-off.js';

/** One candidate's failures in a row. */
export interface FailureEntry {
  readonly failures: number;
  readonly code: LoadFailureCode;
  /** Epoch milliseconds. */
  readonly lastAtMs: number;
  readonly coolingDownUntilMs: number;
  /**
   * What was available when a failure happened that would only repeat itself; null for failures
   * that may pass by themselves.
   */
  readonly availableBytes: number | null;
}

/** By model key. Plain data: it is kept in the journal. */
export type FailureLedger = Readonly<Record<string, FailureEntry>>;

/** Repeats itself until the machine changes: waiting alone does not mend it. */
const DETERMINISTIC: readonly LoadFailureCode[] = [
  'LOAD_REFUSED',
  'MODEL_NOT_FOUND',
  'OUT_OF_MEMORY',
  'CONTEXT_TOO_SMALL',
  'MEMORY_EXCEEDED',
];
/** The machine has changed for a model when this share of all memory has become free since. */
const RELIEF_RATIO = 0.05;
/** ... or when this much time has passed, since the runtime or its settings may have been changed. */
const FORGET_AFTER_MS = 6 * 60 * 60_000;

/** The ledger with one more failure. */
export function recordFailure(
  ledger: FailureLedger,
  failure: Pick<LoadFailure, 'modelKey' | 'code'>,
  facts: {
    readonly nowMs: number;
    readonly resources: Resources;
    readonly backOff: BackOffPolicy;
    readonly random: () => number;
  },
): FailureLedger {
  const failures = (ledger[failure.modelKey]?.failures ?? 0) + 1;
  const entry: FailureEntry = {
    failures,
    code: failure.code,
    lastAtMs: facts.nowMs,
    coolingDownUntilMs: facts.nowMs + backOffMs(facts.backOff, failures, facts.random),
    availableBytes: DETERMINISTIC.includes(failure.code) ? availableBytes(facts.resources) : null,
  };
  return { ...ledger, [failure.modelKey]: entry };
}

/** The ledger without what a model that has loaded is forgiven. */
export function recordSuccess(ledger: FailureLedger, modelKey: string): FailureLedger {
  if (!(modelKey in ledger)) return ledger;
  return Object.fromEntries(Object.entries(ledger).filter(([key]) => key !== modelKey));
}

/** Until when each model is left alone, in epoch milliseconds, given what the machine has now. */
export function coolDowns(
  ledger: FailureLedger,
  nowMs: number,
  resources: Resources | null,
): Record<string, number> {
  const until: Record<string, number> = {};
  for (const [modelKey, entry] of Object.entries(ledger)) {
    // A clock that was put back says nothing about how long ago the failure was.
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
  const gpus = resources.gpus.filter((gpu) => gpu.memory === 'dedicated' && !resources.unified);
  return gpus.reduce(
    (sum, gpu) => sum + (gpu.availableBytes ?? 0),
    resources.ram.availableBytes ?? 0,
  );
}
