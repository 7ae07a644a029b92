import type { GgufScalar } from './gguf-header.js';

/** GGUF value types, ggml/include/gguf.h. */
export const TYPE_STRING = 8;
export const TYPE_ARRAY = 9;
/** Bytes of a scalar by GGUF value type. */
export const SCALAR_BYTES: readonly (number | null)[] = [
  1,
  1,
  2,
  2,
  4,
  4,
  4,
  1,
  null,
  null,
  8,
  8,
  8,
];

/** A number or boolean of a GGUF value type; 64-bit integers are bigints where no number is exact. */
export function readScalar(view: DataView, type: number, little: boolean): GgufScalar {
  switch (type) {
    case 0:
      return view.getUint8(0);
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getUint16(0, little);
    case 3:
      return view.getInt16(0, little);
    case 4:
      return view.getUint32(0, little);
    case 5:
      return view.getInt32(0, little);
    case 6:
      return view.getFloat32(0, little);
    case 7:
      return view.getUint8(0) !== 0;
    case 10:
      return narrow(view.getBigUint64(0, little));
    case 11:
      return narrow(view.getBigInt64(0, little));
    default:
      return view.getFloat64(0, little);
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
