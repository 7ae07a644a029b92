const BRAND = Symbol.for('@mai/cli/UsageError');

/** The command line asks for something that can't be done; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly [BRAND] = true;
  readonly code = 'USAGE';
}
