import type { PassedOver } from './snapshot.js';

/** The kind of an error. Codes are API and do not change within a major version. */
export type ResourceMonitorErrorCode = 'PROBE_FAILED' | 'PROBE_TIMED_OUT';

/** The facts of an error; null for a fact that does not apply. */
export interface ResourceMonitorErrorFacts {
  /** The readers that failed, with their reasons. */
  readonly passedOver: readonly PassedOver[];
  /** The file of a recording that cannot be used. */
  readonly path: string | null;
  /** The deadline that was missed, in milliseconds. */
  readonly timeoutMs: number | null;
}

const BRAND = Symbol.for('@mai/resource-monitor/ResourceMonitorError');

/**
 * The error class of this package. `message` is plain text that names what failed, the value, and the next
 * step. A cancelled call rejects with the signal's reason instead.
 */
export class ResourceMonitorError extends Error implements ResourceMonitorErrorFacts {
  override readonly name = 'ResourceMonitorError';
  readonly code: ResourceMonitorErrorCode;
  readonly passedOver: ResourceMonitorErrorFacts['passedOver'];
  readonly path: string | null;
  readonly timeoutMs: number | null;

  constructor(
    code: ResourceMonitorErrorCode,
    message: string,
    facts: Partial<ResourceMonitorErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.passedOver = facts.passedOver ?? [];
    this.path = facts.path ?? null;
    this.timeoutMs = facts.timeoutMs ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** The message of a thrown value. It does not use `instanceof Error`, which is false for errors of another realm. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}

/** Whether a value is a `ResourceMonitorError` of any copy of this package (ESM, CommonJS, another realm). */
export function isResourceMonitorError(value: unknown): value is ResourceMonitorError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
