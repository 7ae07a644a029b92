import { types } from 'node:util';

/** The code of an error of the operating system, such as `ENOENT`; `undefined` for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  return typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Converts a thrown value to an Error. */
export function asError(error: unknown): Error {
  return types.isNativeError(error) ? error : new Error(String(error));
}
