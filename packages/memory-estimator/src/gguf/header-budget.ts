// A file may claim anything. These limits bound the memory and the time that reading a header can cost, to a
// few tens of megabytes and seconds. Models stay far below these limits. The largest known models have about 50,000
// tensors, 100 metadata pairs and a vocabulary of 600,000 strings.
export const MAX_METADATA_PAIRS = 65_536;
export const MAX_TENSORS = 262_144;
export const MAX_KEY_BYTES = 65_535;
export const MAX_NAME_BYTES = 1_024;
export const MAX_DIMENSIONS = 4;
export const MAX_ARRAY_DEPTH = 8;
/** A longer string is skipped. */
export const MAX_KEPT_STRING_BYTES = 65_536;
/** A longer array is counted and skipped. */
export const MAX_KEPT_ARRAY_LENGTH = 1_024;
/** The highest offset of a tensor: a pebibyte. */
export const MAX_OFFSET_BYTES = 2 ** 50;

/** Metadata, names and tensors of all files of a model together. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Strings and nested arrays of all files of a model together. Each of them is read or skipped separately. */
const MAX_WALKED = 2 ** 24;

/** Memory of a metadata pair, without its key and value. */
const PAIR_BYTES = 128;
/** Memory of a tensor's description, without its name. */
const TENSOR_BYTES = 256;
/** Memory of a number in an array that is kept. */
const ELEMENT_BYTES = 16;

/**
 * Counts the cost of a model's header over all of its files. Each method adds to the cost and returns false
 * when the cost exceeds what any model needs.
 */
export class HeaderBudget {
  #keptBytes = 0;
  #walked = 0;
  readonly #tensorNames = new Set<string>();

  keepText(text: string): boolean {
    return this.#keep(text.length);
  }

  keepPair(): boolean {
    return this.#keep(PAIR_BYTES);
  }

  keepElement(): boolean {
    return this.#keep(ELEMENT_BYTES);
  }

  keepTensor(): boolean {
    return this.#keep(TENSOR_BYTES);
  }

  /** Counts strings or nested arrays before they are read. */
  walk(count: number): boolean {
    this.#walked += count;
    return this.#walked <= MAX_WALKED;
  }

  /** Records a tensor's name. Returns false if a file of the model already has a tensor of this name. */
  isNewTensor(name: string): boolean {
    if (this.#tensorNames.has(name)) return false;
    this.#tensorNames.add(name);
    return true;
  }

  #keep(bytes: number): boolean {
    this.#keptBytes += bytes;
    return this.#keptBytes <= MAX_KEPT_BYTES;
  }
}
