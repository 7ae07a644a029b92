// Writes GGUF version 3 files, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.

const ALIGNMENT = 32;
const VERSION = 3;
const VALUE_TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** Type number, elements and bytes of a block. Source: ggml.h and ggml-quants.h. */
const TENSOR_TYPES = {
  F32: { number: 0, blockElements: 1, blockBytes: 4 },
  F16: { number: 1, blockElements: 1, blockBytes: 2 },
  Q8_0: { number: 8, blockElements: 32, blockBytes: 34 },
} as const;

/** One tensor of a file, without its data. */
export interface TensorShape {
  readonly name: string;
  /** Sizes of the dimensions; the first dimension is contiguous. */
  readonly dimensions: readonly number[];
  readonly type: keyof typeof TENSOR_TYPES;
}

/**
 * A metadata value. Whole numbers are written as uint32, other numbers as float32, and lists of numbers as int32:
 * llama.cpp refuses types of tokens in another form.
 */
export type MetadataValue =
  | string
  | boolean
  | number
  | { readonly float32: number | readonly number[] }
  | readonly string[]
  | readonly number[];

/** Bytes of a tensor's data, without padding. */
export function tensorBytes({ type, dimensions }: TensorShape): number {
  const { blockElements, blockBytes } = TENSOR_TYPES[type];
  return (dimensions.reduce((a, b) => a * b, 1) / blockElements) * blockBytes;
}

/** Bytes of a tensor's data with the padding that follows it. */
export function paddedBytes(tensor: TensorShape): number {
  return pad(tensorBytes(tensor));
}

/** The header of a file, up to the first tensor's data. */
export function encodeHeader(
  metadata: Readonly<Record<string, MetadataValue>>,
  tensors: readonly TensorShape[],
): Buffer {
  const pairs = Object.entries(metadata);
  const chunks = [
    Buffer.from('GGUF'),
    uint32(VERSION),
    uint64(tensors.length),
    uint64(pairs.length),
    ...pairs.flatMap(([key, value]) => [text(key), ...encodeValue(value)]),
  ];
  let offset = 0;
  for (const tensor of tensors) {
    chunks.push(
      text(tensor.name),
      uint32(tensor.dimensions.length),
      ...tensor.dimensions.map(uint64),
      uint32(TENSOR_TYPES[tensor.type].number),
      uint64(offset),
    );
    offset += paddedBytes(tensor);
  }
  const header = Buffer.concat(chunks);
  return Buffer.concat([header, Buffer.alloc(pad(header.length) - header.length)]);
}

function encodeValue(value: MetadataValue): readonly Buffer[] {
  if (typeof value === 'string') return [uint32(VALUE_TYPES.string), text(value)];
  if (typeof value === 'boolean') {
    return [uint32(VALUE_TYPES.bool), Buffer.from([value ? 1 : 0])];
  }
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? [uint32(VALUE_TYPES.uint32), uint32(value)]
      : [uint32(VALUE_TYPES.float32), float32(value)];
  }
  if (!('float32' in value)) return [uint32(VALUE_TYPES.array), ...encodeItems(value)];
  const floats = value.float32;
  return typeof floats === 'number'
    ? [uint32(VALUE_TYPES.float32), float32(floats)]
    : [
        uint32(VALUE_TYPES.array),
        uint32(VALUE_TYPES.float32),
        uint64(floats.length),
        ...floats.map(float32),
      ];
}

function encodeItems(items: readonly string[] | readonly number[]): readonly Buffer[] {
  const encoded = items.map((item) => (typeof item === 'string' ? text(item) : uint32(item)));
  const type = typeof items[0] === 'string' ? VALUE_TYPES.string : VALUE_TYPES.int32;
  return [uint32(type), uint64(items.length), ...encoded];
}

function pad(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function float32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}
