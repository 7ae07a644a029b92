/** What went wrong. Codes are API: they do not change within a major version. */
export type AutopilotErrorCode = 'JOURNAL_UNUSABLE' | 'ALREADY_RUNNING';

/** The figures and names behind an error; absent is null. */
export interface AutopilotErrorFacts {
  /** The file that could not be used or is held by another. */
  readonly path: string | null;
  /** The process that runs already. */
  readonly processId: number | null;
  /** Since when, in epoch milliseconds. */
  readonly runningSinceMs: number | null;
}

const BRAND = Symbol.for('@mai/autopilot/AutopilotError');

/**
 * The one error class of this package. `message` says what failed, with which value, and the next
 * thing to do, in plain text. Cancellation is never wrapped.
 */
export class AutopilotError extends Error implements AutopilotErrorFacts {
  override readonly name = 'AutopilotError';
  readonly code: AutopilotErrorCode;
  readonly path: string | null;
  readonly processId: number | null;
  readonly runningSinceMs: number | null;

  constructor(
    code: AutopilotErrorCode,
    message: string,
    facts: Partial<AutopilotErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.path = facts.path ?? null;
    this.processId = facts.processId ?? null;
    this.runningSinceMs = facts.runningSinceMs ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Tells an `AutopilotError` of any copy of this package (ESM, CommonJS, another realm) from the rest. */
export function isAutopilotError(value: unknown): value is AutopilotError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
