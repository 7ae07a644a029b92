/** What went wrong. Codes are API: they do not change within a major version. */
export type ResourceMonitorErrorCode = 'PROBE_FAILED' | 'PROBE_TIMED_OUT';

/** The figures and names behind an error; absent is null. */
export interface ResourceMonitorErrorFacts {
  /** Which readers failed and why. */
  readonly passedOver: readonly { readonly source: string; readonly reason: string }[];
  /** The recording that could not be used. */
  readonly path: string | null;
  readonly timeoutMs: number | null;
}

const BRAND = Symbol.for('@mai/resource-monitor/ResourceMonitorError');

/**
 * The one error class of this package. `message` says what failed, with which value, and the next
 * thing to do, in plain text. Cancellation is never wrapped.
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

/** Tells a `ResourceMonitorError` of any copy of this package (ESM, CommonJS, another realm) from the rest. */
export function isResourceMonitorError(value: unknown): value is ResourceMonitorError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
