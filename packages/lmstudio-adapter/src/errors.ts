/** What went wrong. Codes are API: they do not change within a major version. */
export type LMStudioErrorCode =
  | 'UNREACHABLE'
  | 'UNAUTHORIZED'
  | 'INCOMPATIBLE'
  | 'TIMED_OUT'
  | 'MODEL_NOT_FOUND'
  | 'LOAD_REFUSED'
  | 'LOAD_FAILED'
  | 'LOAD_TIMED_OUT'
  | 'INSTANCE_NOT_FOUND';

/** The figures and names behind an error; absent is `null`. */
export interface LMStudioErrorFacts {
  /** The server that was asked, as `ws://host:port`. */
  readonly baseUrl: string | null;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  /** Keys or identifiers that the caller may have meant, best first. */
  readonly suggestions: readonly string[];
  /** What LM Studio itself said, in plain text. */
  readonly serverMessage: string | null;
  /** With `LOAD_FAILED`: the engine said that memory did not suffice. */
  readonly outOfMemory: boolean;
  /** `true`: a load may still complete on a server that could not be asked; look again. */
  readonly uncertain: boolean;
  /** With `loadFirst`: why each earlier candidate failed, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
  /** With `UNREACHABLE`: which of the ways to be unreachable this is. */
  readonly state: string | null;
}

const BRAND = Symbol.for('@mai/lmstudio-adapter/LMStudioError');

const NO_FACTS: LMStudioErrorFacts = {
  baseUrl: null,
  modelKey: null,
  instanceIdentifier: null,
  suggestions: [],
  serverMessage: null,
  outOfMemory: false,
  uncertain: false,
  failures: [],
  state: null,
};

/**
 * The one error class of this package. `message` says what failed, with which value, and the next
 * thing to do, in plain text. Cancellation is never wrapped: `signal.reason` is thrown as it is.
 */
export class LMStudioError extends Error implements LMStudioErrorFacts {
  override readonly name = 'LMStudioError';
  readonly code: LMStudioErrorCode;
  readonly baseUrl: string | null;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  readonly suggestions: readonly string[];
  readonly serverMessage: string | null;
  readonly outOfMemory: boolean;
  readonly uncertain: boolean;
  readonly failures: LMStudioErrorFacts['failures'];
  readonly state: string | null;

  constructor(
    code: LMStudioErrorCode,
    message: string,
    facts: Partial<LMStudioErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    const all = { ...NO_FACTS, ...facts };
    this.code = code;
    this.baseUrl = all.baseUrl;
    this.modelKey = all.modelKey;
    this.instanceIdentifier = all.instanceIdentifier;
    this.suggestions = all.suggestions;
    this.serverMessage = all.serverMessage;
    this.outOfMemory = all.outOfMemory;
    this.uncertain = all.uncertain;
    this.failures = all.failures;
    this.state = all.state;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Tells an `LMStudioError` of any copy of this package (ESM, CommonJS, another realm) from the rest. */
export function isLMStudioError(value: unknown): value is LMStudioError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
