import type { LoadConfig } from '@mai/memory-ledger';
import { errorCode } from '../autopilot-error.js';

const RUNTIME_CODES = [
  'LOAD_REFUSED',
  'LOAD_FAILED',
  'LOAD_TIMED_OUT',
  'MODEL_NOT_FOUND',
  'ENGINE_CRASHED',
] as const;

/**
 * Why a candidate could not be used. The first five are the runtime's own codes. `ENGINE_CRASHED` is also the code of a
 * model whose engine has crashed after the load. `OUT_OF_MEMORY` and `FILE_REFUSED` are a `LOAD_FAILED` whose error has
 * `outOfMemory` or `fileRefused`. The last two come from the checks after a load.
 */
export type LoadFailureCode =
  | 'LOAD_REFUSED'
  | 'LOAD_FAILED'
  | 'LOAD_TIMED_OUT'
  | 'MODEL_NOT_FOUND'
  | 'ENGINE_CRASHED'
  | 'OUT_OF_MEMORY'
  | 'FILE_REFUSED'
  | 'CONTEXT_TOO_SMALL'
  | 'MEMORY_EXCEEDED';

/** The failed load of a candidate. */
export interface LoadFailure {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly code: LoadFailureCode;
  readonly message: string;
  /**
   * Whether the load had a longer context than was needed (`LoadOption.roomier`). The model may load with the needed one, so this
   * failure starts a cool-down of the longer context only. Default false.
   */
  readonly hadRoom?: boolean;
}

/**
 * Turns an error of `load` into a failure of the model; null when the error is not about the model (the
 * runtime is gone, a bug, a cancellation).
 */
export function asLoadFailure(
  error: unknown,
  modelKey: string,
  loadConfig: LoadConfig,
): LoadFailure | null {
  const thrown = errorCode(error);
  const code = RUNTIME_CODES.find((one) => one === thrown);
  if (code === undefined) return null;
  const message = error instanceof Error ? error.message : String(error);
  return { modelKey, loadConfig, code: kindOf(error) ?? code, message };
}

/** The kind of failure that the error's facts state; null where they state none. */
function kindOf(error: unknown): LoadFailureCode | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('outOfMemory' in error && error.outOfMemory === true) return 'OUT_OF_MEMORY';
  return 'fileRefused' in error && error.fileRefused === true ? 'FILE_REFUSED' : null;
}
