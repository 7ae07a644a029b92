import * as limits from './header-limits.js';

/** What a metadata pair takes in memory beside its key and value. */
const PAIR_BYTES = 128;
/** What a tensor's description takes in memory beside its name. */
const TENSOR_BYTES = 256;
/** What a number takes in an array that is kept; a large one takes twice that. */
const ELEMENT_BYTES = 16;

/** What the header of one model has cost so far, all of its files together; see header-limits. */
export class HeaderLedger {
  #keptBytes = 0;
  #walked = 0;
  readonly #tensorNames = new Set<string>();

  /** False where that is more than any model needs; so with all of these. */
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

  /** Strings or nested arrays that are about to be gone through. */
  walk(count: number): boolean {
    this.#walked += count;
    return this.#walked <= limits.MAX_WALKED;
  }

  /** False where a tensor of this name is there already, in this file or another of the model. */
  isNewTensor(name: string): boolean {
    if (this.#tensorNames.has(name)) return false;
    this.#tensorNames.add(name);
    return true;
  }

  #keep(bytes: number): boolean {
    this.#keptBytes += bytes;
    return this.#keptBytes <= limits.MAX_KEPT_BYTES;
  }
}
