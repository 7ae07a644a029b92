const BRAND = Symbol.for('@mai/cli/UsageError');

/** A command line that cannot be carried out. The message says how to correct it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly [BRAND] = true;
  readonly code = 'USAGE';
}
