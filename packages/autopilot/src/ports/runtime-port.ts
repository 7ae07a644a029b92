import type { LoadConfig } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** One loaded copy, as the runtime reports it. */
export interface RuntimeInstance {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** Key of the loaded variant, such as `qwen/qwen3-4b@q8_0`. Null: the runtime does not report it. */
  readonly variant: string | null;
  readonly sizeBytes: number;
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  readonly ttlMs: number | null;
  /** Epoch milliseconds; null when the copy was never used or the runtime does not report the time. */
  readonly lastUsedAtMs: number | null;
  /** The device that the copy is loaded on; null is the machine that the runtime runs on. */
  readonly deviceIdentifier: string | null;
  /** `'idle'` or the name of another activity; null when the runtime does not report activity. */
  readonly activity: string | null;
  /** Number of requests that wait; null when the runtime does not report the number. */
  readonly queued: number | null;
  readonly loadConfig: LoadConfig;
  /** Whether the weights are locked in memory; null when the runtime does not report this. */
  readonly keepModelInMemory: boolean | null;
}

/** The request for one load. */
export interface RuntimeLoadRequest extends CallOptions {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly identifier: string;
  /** Idle time after which the runtime unloads the instance; null keeps it loaded. */
  readonly ttlMs: number | null;
  readonly deviceIdentifier: string | null;
  readonly onProgress: (ratio: number) => void;
}

/** A field in which the loaded instance differs from the request. */
export interface LoadMismatch {
  readonly field: string;
  readonly asked: unknown;
  readonly got: unknown;
}

/** The result of one load. */
export interface RuntimeLoadResult {
  readonly instance: RuntimeInstance;
  /** Empty when the instance is as requested. */
  readonly verified: readonly LoadMismatch[];
}

/** A resident whose engine has ended without an unload by the autopilot. */
export interface EndedResident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** How the engine ended, such as `signal SIGKILL`. */
  readonly how: string;
  /** `false`: another process has unloaded the model. */
  readonly crashed: boolean;
}

/**
 * Loads and unloads models; the client of `@mai/lmstudio-adapter` satisfies it.
 *
 * The autopilot relies on these rules:
 *
 * - A `load` that is rejected or cancelled leaves no instance.
 * - `unload` of an instance that is gone rejects with code `INSTANCE_NOT_FOUND`.
 * - Every fault has a `code`.
 * - A cancelled call rejects with the signal's own reason.
 *
 * In steady state the autopilot calls `listResidents` at most once in ten seconds.
 */
export interface RuntimePort {
  listResidents(options: CallOptions): Promise<readonly RuntimeInstance[]>;
  load(request: RuntimeLoadRequest): Promise<RuntimeLoadResult>;
  unload(instanceIdentifier: string, options: CallOptions): Promise<void>;
  /**
   * Calls `listener` as soon as an engine has crashed, or was ended from outside. Returns a function that stops the calls. Default: the
   * runtime cannot tell, and the next listing shows that the resident is gone.
   */
  onEnded?(listener: (ended: EndedResident) => void): () => void;
}
