import { formatIssue, type ModelConfigIssue } from './issue.js';

/** Why a configuration cannot be used. Codes are API. */
export type ModelConfigErrorCode = 'CONFIG_NOT_FOUND' | 'CONFIG_INVALID';

const BRAND = Symbol.for('@mai/model-config/ModelConfigError');

/**
 * A configuration that is missing, unreadable or wrong. `message` contains every issue and how to
 * correct it, as plain text.
 */
export class ModelConfigError extends Error {
  override readonly name = 'ModelConfigError';
  readonly code: ModelConfigErrorCode;
  /** The configuration's path; `null` where it was given as text or as an object. */
  readonly file: string | null;
  /** All problems, in the order of the file. Empty for `CONFIG_NOT_FOUND`, and where the file is not text. */
  readonly issues: readonly ModelConfigIssue[];

  constructor(
    code: ModelConfigErrorCode,
    message: string,
    facts: {
      readonly file: string | null;
      readonly issues?: readonly ModelConfigIssue[];
      readonly cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.file = facts.file;
    this.issues = facts.issues ?? [];
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether `value` is a `ModelConfigError`, of this copy of the package or of another copy. */
export function isModelConfigError(value: unknown): value is ModelConfigError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** Makes the error for these issues. */
export function invalidConfigError(
  file: string | null,
  issues: readonly ModelConfigIssue[],
): ModelConfigError {
  const count = issues.length === 1 ? 'a problem' : `${issues.length} problems`;
  const message = [
    `${file ?? 'The configuration'} has ${count}.`,
    ...issues.map((issue) => formatIssue(issue)),
  ].join('\n\n');
  return new ModelConfigError('CONFIG_INVALID', message, { file, issues });
}
