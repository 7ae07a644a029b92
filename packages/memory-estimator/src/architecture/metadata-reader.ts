import { isGgufArray, type GgufArray, type GgufHeader } from '../gguf/gguf-header.js';
import type { GgufScalar } from '../gguf/bytes/value-types.js';

/**
 * Reads the metadata `<architecture>.<key>` as llama.cpp's model loader does. `null` stands for a key that is
 * missing or has another type.
 */
export class MetadataReader {
  readonly #values = new Map<string, GgufScalar | GgufArray | null>();
  readonly #header: GgufHeader;

  constructor(header: GgufHeader) {
    this.#header = header;
    const prefix = `${header.architecture ?? ''}.`;
    for (const [key, value] of header.metadata)
      if (key.startsWith(prefix)) this.#values.set(key.slice(prefix.length), value);
  }

  /** Whether the header has a value under this key, of any type. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** The key with the name of the architecture before it. */
  fullKey(key: string): string {
    return `${this.#header.architecture ?? ''}.${key}`;
  }

  number(key: string): number | null {
    const value = this.#values.get(key);
    if (typeof value === 'number') return value;
    return typeof value === 'bigint' ? Number(value) : null;
  }

  /** A count or size: a whole number that is not negative. */
  count(key: string): number | null {
    const value = this.number(key);
    return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
  }

  boolean(key: string): boolean | null {
    const value = this.#values.get(key);
    return typeof value === 'boolean' ? value : null;
  }

  text(key: string): string | null {
    const value = this.#values.get(key);
    return typeof value === 'string' ? value : null;
  }

  /** The values of an array as numbers. `false` is 0, and `true` is 1. */
  array(key: string): readonly number[] | null {
    const value = this.#values.get(key);
    if (!isGgufArray(value) || value.values === null) return null;
    return value.values.map(toNumber);
  }

  /** A count for each layer. The file states one count for all layers, or an array of counts. */
  perLayer(key: string, layers: number): number[] | null {
    const array = this.array(key);
    if (array?.some((value) => !Number.isInteger(value) || value < 0) === true) return null;
    if (array !== null) return Array.from({ length: layers }, (_, i) => array[i] ?? 0);
    const value = this.count(key);
    return value === null ? null : new Array<number>(layers).fill(value);
  }

  /** Length of the array with this full key. The key may begin with any name. */
  arrayLength(fullKey: string): number | null {
    const value = this.#header.metadata.get(fullKey);
    return isGgufArray(value) ? value.length : null;
  }
}

function toNumber(value: GgufScalar): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}
