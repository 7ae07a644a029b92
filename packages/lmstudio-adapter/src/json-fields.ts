/** A JSON object of unknown shape. */
export type Json = Readonly<Record<string, unknown>>;

// Each function returns `null` for a value of another type.

export function record(value: unknown): Json | null {
  return isRecord(value) ? value : null;
}

/** The objects of an array. Other elements are left out. `[]` for anything but an array. */
export function records(value: unknown): readonly Json[] {
  if (!Array.isArray(value)) return [];
  return value.map(record).filter((item) => item !== null);
}

/** A text that is not empty. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The texts of an array. Other elements are left out. `[]` for anything but an array. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A finite number. */
export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A whole number from `least` to `most`. A number that no load can have says nothing about an instance. */
export function wholeNumber(value: unknown, least: number, most: number): number | null {
  const found = number(value) ?? Number.NaN;
  return Number.isInteger(found) && found >= least && found <= most ? found : null;
}

/** No engine accepts a longer context. A model's file may state any number. */
export const MAX_TOKENS = 2 ** 30;

/** A context length from 1 to 2^30 tokens. LM Studio reports a length that it does not know as 0. */
export function tokenCount(value: unknown): number | null {
  const tokens = Math.floor(number(value) ?? 0);
  return tokens >= 1 ? Math.min(tokens, MAX_TOKENS) : null;
}

/** The most sequences that llama.cpp accepts (LLAMA_MAX_SEQ). */
export const MAX_SEQUENCES = 256;

/** The finite numbers of an array. Other elements are left out. `[]` for anything but an array. */
export function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value)) return [];
  return value.map(number).filter((item) => item !== null);
}

export function boolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
