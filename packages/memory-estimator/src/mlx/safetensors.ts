import { isJsonObject } from '../files/json-object.js';
import { openFile } from '../gguf/bytes/byte-source.js';
import { ModelFileError } from '../gguf/model-file-error.js';
import { parseJsonObject } from './read-json-file.js';

/** The header's length is a 64-bit number in front of it. */
const LENGTH_BYTES = 8;
/** Real headers have about 100 bytes for each tensor. The largest known headers have a few MiB. */
const MOST_HEADER_BYTES = 16 * 1024 * 1024;

/** One tensor of a safetensors file. */
export interface Safetensor {
  readonly name: string;
  /** As the header states it, such as `BF16` or `U32`. */
  readonly type: string;
  readonly elements: number;
  readonly bytes: number;
}

/** The tensors of a safetensors file. */
export interface SafetensorsFacts {
  readonly tensors: readonly Safetensor[];
  /** Bytes of all tensors, as the header states them. */
  readonly tensorBytes: number;
  /** Bytes of the header. */
  readonly headerBytes: number;
  /** `false`: the file ends before its last tensor, as an unfinished download does. */
  readonly complete: boolean;
}

/**
 * Reads the header of a safetensors file: its length (8 bytes, little-endian), then JSON with
 * `data_offsets` for each tensor (the format's README at github.com/huggingface/safetensors). The weights
 * themselves are not read.
 *
 * @throws ModelFileError FILE_NOT_FOUND, FILE_UNREADABLE or CORRUPT.
 */
export function readSafetensors(path: string): SafetensorsFacts {
  const source = openFile(path);
  try {
    const sizeBytes = source.sizeBytes ?? 0;
    const prefix = new Uint8Array(LENGTH_BYTES);
    if (Number(source.read(prefix, 0)) < LENGTH_BYTES) throw damaged(path, 0, 'ends in its header');
    const stated = new DataView(prefix.buffer).getBigUint64(0, true);
    // The shortest header is `{}`.
    if (stated < 2n || stated > BigInt(MOST_HEADER_BYTES)) {
      throw damaged(path, 0, `states a header of ${stated} bytes`);
    }
    const header = new Uint8Array(Number(stated));
    if (Number(source.read(header, LENGTH_BYTES)) < header.length) {
      throw damaged(path, LENGTH_BYTES, 'ends in its header');
    }
    const headerBytes = LENGTH_BYTES + header.length;
    const tensors = tensorsIn(header, path);
    const tensorBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    return { tensors, tensorBytes, headerBytes, complete: headerBytes + tensorBytes <= sizeBytes };
  } finally {
    source.close();
  }
}

/**
 * The tensors fill the data without holes and overlaps, so the sum of their sizes is also the end of the last
 * tensor.
 */
function tensorsIn(header: Uint8Array, path: string): readonly Safetensor[] {
  const found: Safetensor[] = [];
  let sum = 0;
  let last = 0;
  const tensors = parseJsonObject(header, path, LENGTH_BYTES);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name === '__metadata__') continue;
    const stated = isJsonObject(tensor) ? tensor : {};
    const { data_offsets: offsets, dtype, shape } = stated;
    const [begin, end] = isList(offsets) ? offsets : [];
    if (!isOffset(begin) || !isOffset(end) || end < begin) {
      throw damaged(path, LENGTH_BYTES, 'has a tensor without valid offsets');
    }
    const type = typeof dtype === 'string' ? dtype : '';
    const elements = isList(shape)
      ? shape.reduce<number>((product, one) => product * Number(one), 1)
      : 0;
    found.push({ name, type, elements, bytes: end - begin });
    sum += end - begin;
    last = Math.max(last, end);
  }
  if (sum !== last) throw damaged(path, LENGTH_BYTES, 'has tensors that overlap or leave gaps');
  return found;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function damaged(path: string, offsetBytes: number, what: string): ModelFileError {
  return new ModelFileError('CORRUPT', `${path} ${what}. Download it again.`, {
    path,
    offsetBytes,
    reason: `it ${what}`,
  });
}
