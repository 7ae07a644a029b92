// Writes GGUF version 3 files, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
// The tensor data is a hole in the file: blocks of zeros are valid weights, and a sparse file takes no disk space.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const ALIGNMENT = 32;
const VALUE_TYPES = { u32: 4, f32: 6, bool: 7, string: 8, array: 9, u64: 10 };

/** Type number, elements and bytes of a block. Source: ggml.h and ggml-quants. */
export const TENSOR_TYPES = {
  F32: [0, 1, 4],
  F16: [1, 1, 2],
  Q4_0: [2, 32, 18],
  Q8_0: [8, 32, 34],
  Q4_K: [12, 256, 144],
  Q6_K: [14, 256, 210],
  MXFP4: [39, 32, 17],
};

export function tensorBytes({ type, dims }) {
  const [, blockSize, blockBytes] = TENSOR_TYPES[type];
  return (dims.reduce((a, b) => a * b, 1) / blockSize) * blockBytes;
}

/** Encodes a header. `metadata` maps keys to numbers, booleans, strings or arrays of one of these. */
export function encodeHeader(metadata, tensors) {
  const chunks = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
  ];
  for (const [key, value] of Object.entries(metadata))
    chunks.push(string(key), ...encodeValue(value));
  let offset = 0;
  for (const tensor of tensors) {
    chunks.push(string(tensor.name), u32(tensor.dims.length), ...tensor.dims.map(u64));
    chunks.push(u32(TENSOR_TYPES[tensor.type][0]), u64(offset));
    offset += pad(tensorBytes(tensor));
  }
  const header = Buffer.concat(chunks);
  return {
    header: Buffer.concat([header, Buffer.alloc(pad(header.length) - header.length)]),
    dataBytes: offset,
  };
}

/** Writes the header and, unless `headerOnly` is set, a hole in place of the tensor data. */
export function writeGguf(file, { metadata, tensors }, { headerOnly = false } = {}) {
  const { header, dataBytes } = encodeHeader(metadata, tensors);
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, header);
    if (!headerOnly) ftruncateSync(fd, header.length + dataBytes);
  } finally {
    closeSync(fd);
  }
}

function encodeValue(value) {
  if (typeof value === 'string') return [u32(VALUE_TYPES.string), string(value)];
  if (typeof value === 'boolean') return [u32(VALUE_TYPES.bool), Buffer.from([value ? 1 : 0])];
  if (Array.isArray(value)) {
    const type = { boolean: VALUE_TYPES.bool, string: VALUE_TYPES.string }[typeof value[0]];
    return [
      u32(VALUE_TYPES.array),
      u32(type ?? VALUE_TYPES.u32),
      u64(value.length),
      Buffer.concat(value.map((v) => encodeValue(v).at(-1))),
    ];
  }
  return Number.isInteger(value)
    ? [u32(VALUE_TYPES.u32), u32(value)]
    : [u32(VALUE_TYPES.f32), f32(value)];
}

function pad(bytes) {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
function u32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
function u64(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}
function f32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}
function string(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
