import type { LoadConfig } from '@mai/memory-ledger';

/**
 * Why a candidate could not be used; the first four are the runtime's own codes. `OUT_OF_MEMORY` is a
 * `LOAD_FAILED` whose error has `outOfMemory`.
 */
export type LoadFailureCode =
  | 'LOAD_REFUSED'
  | 'LOAD_FAILED'
  | 'LOAD_TIMED_OUT'
  | 'MODEL_NOT_FOUND'
  | 'OUT_OF_MEMORY'
  | 'CONTEXT_TOO_SMALL'
  | 'MEMORY_EXCEEDED';

/** A candidate that was tried and left nothing resident. */
export interface LoadFailure {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly code: LoadFailureCode;
  readonly message: string;
}

const RUNTIME_CODES: readonly string[] = [
  'LOAD_REFUSED',
  'LOAD_FAILED',
  'LOAD_TIMED_OUT',
  'MODEL_NOT_FOUND',
] satisfies LoadFailureCode[];

/**
 * The failure that `error` is, or null where it says nothing about this model (the runtime is gone,
 * a bug, a cancellation).
 */
export function asLoadFailure(
  error: unknown,
  modelKey: string,
  loadConfig: LoadConfig,
): LoadFailure | null {
  const code = errorCode(error);
  if (code === null || !RUNTIME_CODES.includes(code)) return null;
  const message = error instanceof Error ? error.message : String(error);
  return {
    modelKey,
    loadConfig,
    code: ranOutOfMemory(error) ? 'OUT_OF_MEMORY' : (code as LoadFailureCode),
    message,
  };
}

function ranOutOfMemory(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'outOfMemory' in error &&
    error.outOfMemory === true
  );
}

/** The `code` of a thrown value; null where it has none. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
