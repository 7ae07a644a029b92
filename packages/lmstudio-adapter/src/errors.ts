/** Why a call failed. Codes are API: they do not change within a major version. */
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

/** Why `connect` found no LM Studio. */
export type LMStudioState =
  /** No LM Studio folder on this machine, and nothing answers. */
  | 'not-installed'
  /** Installed here, but neither the app nor its server answers. */
  | 'app-closed'
  /** The headless LM Studio is installed here, and its daemon does not answer. */
  | 'daemon-down'
  /** The app answers, but its API server is not on the given port. */
  | 'server-off'
  /** The given host does not exist, does not answer, or refuses the port. */
  | 'wrong-host'
  /** Another program answers at the address. */
  | 'something-else'
  /** The server, or a proxy in front of it, asks for credentials. */
  | 'unauthorized';

/** The names and figures behind an error. A fact that does not apply is `null`, `false` or empty. */
export interface LMStudioErrorFacts {
  /** The server that was asked, as `ws://host:port`. */
  readonly baseUrl: string | null;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  /** Model keys or instance identifiers that the caller may have meant, best first. */
  readonly suggestions: readonly string[];
  /** LM Studio's own message, in plain text. */
  readonly serverMessage: string | null;
  /** With `LOAD_FAILED`: whether the engine ran out of memory. */
  readonly outOfMemory: boolean;
  /** With `LOAD_FAILED`: whether the engine cannot read this file at all, so that no load setting helps. */
  readonly fileRefused: boolean;
  /** `true`: LM Studio did not confirm that the load has ended, so the model may still appear. */
  readonly uncertain: boolean;
  /** With `loadFirst`: the failure of each earlier request, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
  /** From `connect`: why no LM Studio was found. */
  readonly state: LMStudioState | null;
}

const BRAND = Symbol.for('@mai/lmstudio-adapter/LMStudioError');

const NO_FACTS: LMStudioErrorFacts = {
  baseUrl: null,
  modelKey: null,
  instanceIdentifier: null,
  suggestions: [],
  serverMessage: null,
  outOfMemory: false,
  fileRefused: false,
  uncertain: false,
  failures: [],
  state: null,
};

/**
 * The error class of this package. `message` says in plain text what failed, with which value, and what to do next.
 * A cancelled call throws `signal.reason` instead.
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
  readonly fileRefused: boolean;
  readonly uncertain: boolean;
  readonly failures: LMStudioErrorFacts['failures'];
  readonly state: LMStudioState | null;

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
    this.fileRefused = all.fileRefused;
    this.uncertain = all.uncertain;
    this.failures = all.failures;
    this.state = all.state;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is an `LMStudioError` of any copy of this package. `instanceof` is false for an error of another
 * copy (ES module beside CommonJS, another realm).
 */
export function isLMStudioError(value: unknown): value is LMStudioError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
