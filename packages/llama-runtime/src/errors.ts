/** Why a call failed. Codes are API: they do not change within a major version. */
export type LlamaRuntimeErrorCode =
  | 'ENGINE_MISSING'
  | 'MODEL_NOT_FOUND'
  | 'LOAD_REFUSED'
  | 'LOAD_FAILED'
  | 'LOAD_TIMED_OUT'
  | 'ENGINE_CRASHED'
  | 'INSTANCE_NOT_FOUND'
  | 'REQUEST_FAILED'
  | 'TIMED_OUT'
  | 'CLOSED';

/** The names and figures behind an error. A fact that does not apply is `null`, `false` or empty. */
export interface LlamaRuntimeErrorFacts {
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  /** Model keys or instance identifiers that the caller may have meant, best first. */
  readonly suggestions: readonly string[];
  /** The engine's own message, in plain text. */
  readonly serverMessage: string | null;
  /** With `LOAD_FAILED`: whether the engine ran out of memory. */
  readonly outOfMemory: boolean;
  /** With `LOAD_FAILED`: llama.cpp cannot load the file, so other models are not affected. */
  readonly fileRefused: boolean;
  /** With `ENGINE_CRASHED`: the signal that ended the process; `null`: the process ended by itself. */
  readonly exitSignal: NodeJS.Signals | null;
  /** With `ENGINE_CRASHED`: the exit code; `null`: a signal ended the process. */
  readonly exitCode: number | null;
  /** With `loadFirst`: the failure of each earlier request, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
}

const BRAND = Symbol.for('@mai/llama-runtime/LlamaRuntimeError');

const NO_FACTS: LlamaRuntimeErrorFacts = {
  modelKey: null,
  instanceIdentifier: null,
  suggestions: [],
  serverMessage: null,
  outOfMemory: false,
  fileRefused: false,
  exitSignal: null,
  exitCode: null,
  failures: [],
};

/**
 * The error class of this package. `message` says in plain text what failed, with which value, and what to do next.
 * A cancelled call throws `signal.reason` instead.
 */
export class LlamaRuntimeError extends Error implements LlamaRuntimeErrorFacts {
  override readonly name = 'LlamaRuntimeError';
  readonly code: LlamaRuntimeErrorCode;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  readonly suggestions: readonly string[];
  readonly serverMessage: string | null;
  readonly outOfMemory: boolean;
  readonly fileRefused: boolean;
  readonly exitSignal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  readonly failures: LlamaRuntimeErrorFacts['failures'];

  constructor(
    code: LlamaRuntimeErrorCode,
    message: string,
    facts: Partial<LlamaRuntimeErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    const all = { ...NO_FACTS, ...facts };
    this.code = code;
    this.modelKey = all.modelKey;
    this.instanceIdentifier = all.instanceIdentifier;
    this.suggestions = all.suggestions;
    this.serverMessage = all.serverMessage;
    this.outOfMemory = all.outOfMemory;
    this.fileRefused = all.fileRefused;
    this.exitSignal = all.exitSignal;
    this.exitCode = all.exitCode;
    this.failures = all.failures;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is a `LlamaRuntimeError` of any copy of this package. `instanceof` is false for an error of another
 * copy (ES module beside CommonJS, another realm).
 */
export function isLlamaRuntimeError(value: unknown): value is LlamaRuntimeError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
