const BRAND = Symbol.for('@mai/memory-estimator/ModelFileError');

/** Why a model file could not be used; codes are API. */
export type ModelFileErrorCode =
  'FILE_NOT_FOUND' | 'FILE_UNREADABLE' | 'NOT_GGUF' | 'CORRUPT' | 'UNSUPPORTED_VERSION';

/** What is known about the fault, next to its code. */
export interface ModelFileErrorFacts {
  /** The file, or null where the source was no file. */
  readonly path: string | null;
  /** Where in the file reading failed, in bytes from its start, or null where that has no meaning. */
  readonly offsetBytes: number | null;
}

/** A model file that cannot be read, is no GGUF file or is damaged. */
export class ModelFileError extends Error implements ModelFileErrorFacts {
  readonly code: ModelFileErrorCode;
  readonly path: string | null;
  readonly offsetBytes: number | null;

  constructor(
    code: ModelFileErrorCode,
    message: string,
    facts: Partial<ModelFileErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'ModelFileError';
    this.code = code;
    this.path = facts.path ?? null;
    this.offsetBytes = facts.offsetBytes ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a value is a ModelFileError, also one from another copy of this package. */
export function isModelFileError(value: unknown): value is ModelFileError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
