/** Types of metadata values. The index of a type is its number in the file (gguf_type in ggml/include/gguf.h). */
const VALUE_TYPES: readonly GgufValueType[] = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
];

/** A scalar in a GGUF file. A 64-bit integer is a bigint where a number would not be exact. */
export type GgufScalar = string | number | bigint | boolean;

/** The type of a metadata value. */
export type GgufValueType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'array'
  | 'uint64'
  | 'int64'
  | 'float64';

/** A type whose values all have the same size. */
export type ScalarType = Exclude<GgufValueType, 'string' | 'array'>;

const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** The fewest bytes of a value. An empty string still has a length. An empty array still has a type and a length. */
const LEAST_BYTES: Readonly<Record<GgufValueType, number>> = {
  ...SCALAR_BYTES,
  string: 8,
  array: 12,
};

/** The type with a number; `null` for a number that GGUF does not define. */
export function valueTypeOf(number: number): GgufValueType | null {
  return VALUE_TYPES[number] ?? null;
}

/** Bytes of a scalar. */
export function scalarBytes(type: ScalarType): number {
  return SCALAR_BYTES[type];
}

/** The fewest bytes that a value of a type takes in the file. */
export function leastBytes(type: GgufValueType): number {
  return LEAST_BYTES[type];
}

/** Reads a scalar. A 64-bit integer is a number where that is exact, a bigint otherwise. */
export function readScalar(view: DataView, type: ScalarType, little: boolean): GgufScalar {
  switch (type) {
    case 'uint8':
      return view.getUint8(0);
    case 'int8':
      return view.getInt8(0);
    case 'uint16':
      return view.getUint16(0, little);
    case 'int16':
      return view.getInt16(0, little);
    case 'uint32':
      return view.getUint32(0, little);
    case 'int32':
      return view.getInt32(0, little);
    case 'float32':
      return view.getFloat32(0, little);
    case 'bool':
      return view.getUint8(0) !== 0;
    case 'uint64':
      return narrow(view.getBigUint64(0, little));
    case 'int64':
      return narrow(view.getBigInt64(0, little));
    case 'float64':
      return view.getFloat64(0, little);
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
