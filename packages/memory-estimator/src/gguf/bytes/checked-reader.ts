import type { ByteWindow } from './byte-window.js';
import { MAX_KEPT_STRING_BYTES, type HeaderBudget } from '../header-budget.js';
import { ModelFileError } from '../model-file-error.js';
import {
  readScalar,
  scalarBytes,
  valueTypeOf,
  type GgufScalar,
  type GgufValueType,
  type ScalarType,
} from './value-types.js';

/** The file that a header is read from. */
export interface CheckedFile {
  /** `null` where the source is not a file. */
  readonly path: string | null;
  /** `null` where it is not known. */
  readonly sizeBytes: number | null;
  /** Shared by the files of a model. */
  readonly budget: HeaderBudget;
}

/**
 * Reads the values of a header, and throws CORRUPT for a value that exceeds the file or the header's budget.
 */
export class CheckedReader {
  readonly window: ByteWindow;
  readonly file: CheckedFile;

  constructor(window: ByteWindow, file: CheckedFile) {
    this.window = window;
    this.file = file;
  }

  /** A string of at most `limitBytes`. */
  text(limitBytes: number, what: string): string {
    const at = this.window.offset;
    const length = this.window.uint64();
    if (length > limitBytes) {
      const claimed = length === Infinity ? 'more than 2^53' : length;
      throw this.corrupt(`${what} claims ${claimed} bytes`, at);
    }
    return this.#kept(this.window.text(length), at);
  }

  /** A string value; `null` where it is too long to keep. */
  string(): string | null {
    const { window } = this;
    const at = window.offset;
    const length = window.uint64();
    this.requireWithinFile(length, at, 'a string is longer than the file');
    if (length <= MAX_KEPT_STRING_BYTES) return this.#kept(window.text(length), at);
    window.skip(length);
    return null;
  }

  scalar(type: ScalarType): GgufScalar {
    const { window } = this;
    return readScalar(window.view(scalarBytes(type)), type, window.littleEndian);
  }

  /** Reads a value type. `what` names the value in messages. */
  valueType(what: string): GgufValueType {
    const at = this.window.offset;
    const number = this.window.uint32();
    const type = valueTypeOf(number);
    if (type === null) throw this.corrupt(`${what} has the unknown type ${number}`, at);
    return type;
  }

  /** Throws CORRUPT where fewer than `length` bytes of the file are left. */
  requireWithinFile(length: number, at: number, message: string): void {
    const { sizeBytes } = this.file;
    const end = this.window.offset + length;
    if (!Number.isSafeInteger(end) || (sizeBytes !== null && end > sizeBytes))
      throw this.corrupt(message, at);
  }

  /** Throws CORRUPT where a method of the budget returned false. */
  requireBudget(isWithin: boolean, at: number): void {
    if (!isWithin) throw this.corrupt('the header holds more than any model needs', at);
  }

  corrupt(what: string, offsetBytes: number): ModelFileError {
    const fault = `is damaged: ${what} (at byte ${offsetBytes})`;
    return new ModelFileError('CORRUPT', `${this.name} ${fault}. Download it again.`, {
      path: this.file.path,
      offsetBytes,
      reason: `it ${fault}`,
    });
  }

  /** The file's name for messages. */
  get name(): string {
    return this.file.path ?? 'The model data';
  }

  #kept(text: string, at: number): string {
    this.requireBudget(this.file.budget.keepText(text), at);
    return text;
  }
}

/** Text of a file for a message: short, and without control characters, which a terminal would act on. */
export function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
