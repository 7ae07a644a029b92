const BRAND = Symbol.for('@mai/cli/UsageError');

/** Thrown for a command line that can't be carried out; the message says how to correct it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly [BRAND] = true;
  readonly code = 'USAGE';
}
