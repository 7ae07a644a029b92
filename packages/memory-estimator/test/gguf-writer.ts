/** The form of a file. Default: version 3, little-endian. */
export interface WriterOptions {
  readonly version?: number;
  readonly bigEndian?: boolean;
}

/** A value of a pair, with its type. */
export type Value =
  | {
      readonly type: 'u8' | 'u16' | 'u32' | 'i32' | 'f32' | 'u64' | 'i64' | 'f64';
      readonly value: number;
    }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s' | 'f32s' | 'u64s'; readonly value: readonly number[] };

export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

/** Numbers of value types in a file (gguf_type), by short names for tests. */
export const VALUE_TYPES = {
  u8: 0,
  u16: 2,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
  undefined: 13,
} as const;

/** Numbers of tensor types in a file (ggml_type). */
export const TENSOR_TYPES = { F32: 0, Q8_0: 8, undefined: 999 } as const;

const SCALAR_BYTES = { u8: 1, u16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 } as const;

/** Writes small GGUF files, valid or damaged, field by field. */
export class GgufWriter {
  readonly #parts: Buffer[] = [];
  readonly #big: boolean;

  constructor(options: WriterOptions = {}) {
    this.#big = options.bigEndian === true;
    this.raw(Buffer.from('GGUF'));
    this.u32(options.version ?? 3);
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  u32(value: number): this {
    return this.#number(4, (view) => view.setUint32(0, value, !this.#big));
  }

  u64(value: number | bigint): this {
    return this.#number(8, (view) => view.setBigUint64(0, BigInt(value), !this.#big));
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    return this.u64(bytes.length).raw(bytes);
  }

  counts(tensors: number | bigint, pairs: number | bigint): this {
    return this.u64(tensors).u64(pairs);
  }

  pair(key: string, entry: Value): this {
    this.text(key);
    switch (entry.type) {
      case 'bool':
        return this.u32(VALUE_TYPES.bool).raw(Buffer.from([entry.value ? 1 : 0]));
      case 'string':
        return this.u32(VALUE_TYPES.string).text(entry.value);
      case 'strings':
        this.arrayHead('string', entry.value.length);
        for (const text of entry.value) this.text(text);
        return this;
      case 'i32s':
      case 'f32s':
      case 'u64s': {
        const element = ({ i32s: 'i32', f32s: 'f32', u64s: 'u64' } as const)[entry.type];
        this.arrayHead(element, entry.value.length);
        for (const value of entry.value) this.#scalar(element, value);
        return this;
      }
      default:
        this.u32(VALUE_TYPES[entry.type]);
        return this.#scalar(entry.type, entry.value);
    }
  }

  /** Type and length of an array, as the value of a pair. */
  arrayHead(elements: keyof typeof VALUE_TYPES, length: number | bigint): this {
    return this.u32(VALUE_TYPES.array).u32(VALUE_TYPES[elements]).u64(length);
  }

  tensor({ name, shape, type, offset }: WrittenTensor): this {
    this.text(name).u32(shape.length);
    for (const extent of shape) this.u64(extent);
    return this.u32(type).u64(offset);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #scalar(type: keyof typeof SCALAR_BYTES, value: number): this {
    const little = !this.#big;
    return this.#number(SCALAR_BYTES[type], (view) => {
      switch (type) {
        case 'u8':
          return view.setUint8(0, value);
        case 'u16':
          return view.setUint16(0, value, little);
        case 'u32':
          return view.setUint32(0, value, little);
        case 'i32':
          return view.setInt32(0, value, little);
        case 'f32':
          return view.setFloat32(0, value, little);
        case 'u64':
          return view.setBigUint64(0, BigInt(value), little);
        case 'i64':
          return view.setBigInt64(0, BigInt(value), little);
        case 'f64':
          return view.setFloat64(0, value, little);
      }
    });
  }

  #number(bytes: number, write: (view: DataView) => void): this {
    const buffer = Buffer.alloc(bytes);
    write(new DataView(buffer.buffer, buffer.byteOffset, bytes));
    return this.raw(buffer);
  }
}

/** A small complete model: some metadata, and two tensors with their data. */
export function smallModel(options: WriterOptions = {}): Buffer {
  const header = new GgufWriter(options)
    .counts(2, 6)
    .pair('general.architecture', { type: 'string', value: 'llama' })
    .pair('llama.block_count', { type: 'u32', value: 1 })
    .pair('llama.rope.freq_base', { type: 'f32', value: 10_000 })
    .pair('general.big', { type: 'u64', value: 2 ** 40 })
    .pair('llama.flag', { type: 'bool', value: true })
    .pair('llama.list', { type: 'i32s', value: [3, -1, 2] })
    .tensor({ name: 'token_embd.weight', shape: [32, 4], type: TENSOR_TYPES.Q8_0, offset: 0 })
    .tensor({ name: 'output_norm.weight', shape: [32], type: TENSOR_TYPES.F32, offset: 160 })
    .bytes();
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  return Buffer.concat([header, padding, Buffer.alloc(160 + 128)]);
}
