import type { GgufArray, GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import type { GgufScalar } from '../gguf/bytes/value-types.js';
import { tensorTypeLayout } from '../gguf/tensor-types.js';
import type { GgufValueType } from '../gguf/bytes/value-types.js';

/** Longer strings are not kept. A chat template has a tenth of this length. */
const KEPT_STRING_LENGTH = 65_536;

/** A header as JSON, with short keys so that it is quick to parse. */
export interface EncodedHeader {
  readonly v: 2 | 3;
  readonly b: 'little' | 'big';
  /** Metadata: key, value and its type. A bigint is `{ big }`, infinity and NaN are `{ not }`, a skipped value is `null`. */
  readonly m: readonly (readonly [string, EncodedValue, GgufValueType])[];
  /** Names of the tensors, one per line. */
  readonly n: string;
  /** For each tensor: type, file index, offset, size, number of dimensions, dimensions. */
  readonly t: readonly number[];
  readonly s: number | null;
  readonly c: boolean;
  /** `hasData`. */
  readonly d: boolean;
  /** Tokens: whether they repeat, and the number of byte tokens. */
  readonly k: readonly [boolean, number] | null;
  readonly f: readonly string[];
}

type EncodedScalar =
  string | number | boolean | { readonly big: string } | { readonly not: string };
type EncodedValue =
  | EncodedScalar
  | null
  | { readonly length: number; readonly values: readonly EncodedScalar[] | null };

export function encodeHeader(header: GgufHeader): EncodedHeader {
  const t: number[] = [];
  for (const { type, fileIndex, offsetBytes, sizeBytes, shape } of header.tensors)
    t.push(type, fileIndex, offsetBytes, sizeBytes, shape.length, ...shape);
  return {
    v: header.version,
    b: header.byteOrder,
    m: [...header.metadata].map(
      ([key, value]) => [key, encodeValue(value), header.valueTypes.get(key) ?? 'uint32'] as const,
    ),
    n: header.tensors.map(({ name }) => name).join('\n'),
    t,
    s: header.fileSizeBytes,
    c: header.complete,
    d: header.hasData,
    k: header.tokens && [header.tokens.repeats, header.tokens.byteTokens],
    f: header.files,
  };
}

/** The header; `null` for any value that `encodeHeader` did not make. */
export function decodeHeader(encoded: unknown): GgufHeader | null {
  if (!isEncodedHeader(encoded)) return null;
  const names = encoded.n === '' ? [] : encoded.n.split('\n');
  const tensors: GgufTensor[] = [];
  let at = 0;
  let tensorBytes = 0;
  for (const name of names) {
    const [type, fileIndex, offsetBytes, sizeBytes, dimensions] = encoded.t.slice(at, at + 5);
    if (
      type === undefined ||
      fileIndex === undefined ||
      offsetBytes === undefined ||
      sizeBytes === undefined ||
      dimensions === undefined
    )
      return null;
    const shape = encoded.t.slice(at + 5, at + 5 + dimensions);
    // llama.cpp refuses a tensor without elements, and so does the parser.
    if (shape.includes(0)) return null;
    tensors.push({
      name,
      type,
      typeName: tensorTypeLayout(type)?.name ?? `type-${type}`,
      shape,
      offsetBytes,
      sizeBytes,
      fileIndex,
    });
    tensorBytes += sizeBytes;
    at += 5 + dimensions;
  }
  if (at !== encoded.t.length) return null;
  const metadata = new Map(encoded.m.map(([key, value]) => [key, decodeValue(value)] as const));
  const architecture = metadata.get('general.architecture');
  return {
    version: encoded.v,
    byteOrder: encoded.b,
    architecture: typeof architecture === 'string' ? architecture : null,
    metadata,
    valueTypes: new Map(encoded.m.map(([key, , type]) => [key, type] as const)),
    tensors,
    tensorBytes,
    fileSizeBytes: encoded.s,
    complete: encoded.c,
    hasData: encoded.d,
    tokens: encoded.k && { repeats: encoded.k[0], byteTokens: encoded.k[1] },
    files: encoded.f,
  };
}

/** Checks the fields of a header, but not each number in them, because only this package writes the file. */
function isEncodedHeader(value: unknown): value is EncodedHeader {
  return (
    typeof value === 'object' &&
    value !== null &&
    'v' in value &&
    (value.v === 2 || value.v === 3) &&
    'b' in value &&
    (value.b === 'little' || value.b === 'big') &&
    'm' in value &&
    Array.isArray(value.m) &&
    'n' in value &&
    typeof value.n === 'string' &&
    't' in value &&
    Array.isArray(value.t) &&
    's' in value &&
    (value.s === null || typeof value.s === 'number') &&
    'c' in value &&
    typeof value.c === 'boolean' &&
    'd' in value &&
    typeof value.d === 'boolean' &&
    'k' in value &&
    (value.k === null || Array.isArray(value.k)) &&
    'f' in value &&
    Array.isArray(value.f)
  );
}

function encodeValue(value: GgufScalar | GgufArray | null): EncodedValue {
  if (value === null) return null;
  if (typeof value === 'string') return value.length > KEPT_STRING_LENGTH ? null : value;
  if (typeof value !== 'object') return encodeScalar(value);
  return { length: value.length, values: value.values?.map(encodeScalar) ?? null };
}

function encodeScalar(value: GgufScalar): EncodedScalar {
  if (typeof value === 'bigint') return { big: String(value) };
  // JSON has no infinity and no NaN.
  return typeof value === 'number' && !Number.isFinite(value) ? { not: String(value) } : value;
}

function decodeValue(value: EncodedValue): GgufScalar | GgufArray | null {
  if (value === null || typeof value !== 'object') return value;
  if ('length' in value)
    return { length: value.length, values: value.values?.map(decodeScalar) ?? null };
  return decodeScalar(value);
}

function decodeScalar(value: EncodedScalar): GgufScalar {
  if (typeof value !== 'object') return value;
  return 'big' in value ? BigInt(value.big) : Number(value.not);
}
