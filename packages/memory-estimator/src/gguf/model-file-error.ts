const BRAND = Symbol.for('@mai/memory-estimator/ModelFileError');

/** Why a model file cannot be used. The codes are part of the API. */
export type ModelFileErrorCode =
  'FILE_NOT_FOUND' | 'FILE_UNREADABLE' | 'NOT_GGUF' | 'CORRUPT' | 'UNSUPPORTED_VERSION';

/** Details of a ModelFileError. */
export interface ModelFileErrorFacts {
  /** `null` where the source is not a file. */
  readonly path: string | null;
  /** Offset in the file at which the fault was found, in bytes; `null` where the fault has no position. */
  readonly offsetBytes: number | null;
  /** The fault as a clause whose subject is the file: 'it is empty'. Default: the message. No period. */
  readonly reason: string;
}

/** A model file that cannot be read, is not a GGUF file or is damaged. */
export class ModelFileError extends Error implements ModelFileErrorFacts {
  readonly code: ModelFileErrorCode;
  readonly path: string | null;
  readonly offsetBytes: number | null;
  readonly reason: string;

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
    this.reason = facts.reason ?? message.replace(/\.$/, '');
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a value is a ModelFileError; also recognizes errors of other copies of this package. */
export function isModelFileError(value: unknown): value is ModelFileError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
