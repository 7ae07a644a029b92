/** Codes of `AutopilotError`. They do not change within a major version. */
export type AutopilotErrorCode = 'JOURNAL_UNUSABLE' | 'ALREADY_RUNNING' | 'MODEL_NOT_FOUND';

/** The facts of an error. A fact that does not apply is null. */
export interface AutopilotErrorFacts {
  /** The file that could not be used, or that another process holds. */
  readonly path: string | null;
  /** The process that is already running. */
  readonly processId: number | null;
  /** The start of that process, in epoch milliseconds. */
  readonly runningSinceMs: number | null;
}

const BRAND = Symbol.for('@mai/autopilot/AutopilotError');

/**
 * The error class of this package. `message` says what failed, with which value, and what to do next, in
 * plain text. Cancellation is never wrapped.
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

/** Whether a value is an `AutopilotError`, also one of another copy of this package (ESM, CommonJS, realm). */
export function isAutopilotError(value: unknown): value is AutopilotError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** The `code` of a thrown value; null for a value without a code. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
