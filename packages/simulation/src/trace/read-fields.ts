/** Collects the problems of a line. A line with a failure cannot be used. A line with warnings can be used. */
export interface Complaints {
  readonly fail: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** An object whose values have not been checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object with fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Warns of every field that the reader ignores, because such a field is usually misspelt. */
export function warnOfUnknown(
  value: Fields,
  known: readonly string[],
  where: string,
  { warn }: Complaints,
): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      warn(
        `unknown field '${key}' of ${where} is ignored; the known fields are ${known.join(', ')}`,
      );
  }
}

/** The most characters of a value that a message repeats. */
const VALUE_CHARS_MAX = 40;

/** Reports a value that a field cannot have. `expected` completes the sentence 'the field must be'. */
export function failValue(
  name: string,
  expected: string,
  value: unknown,
  { fail }: Complaints,
): void {
  if (value === undefined || value === null) {
    fail(`'${name}' is missing: give ${expected}`);
    return;
  }
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  const shown = text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}...` : text;
  fail(`'${name}' must be ${expected}, not ${shown}`);
}

/**
 * A finite number of at least 0, or `fallback` where the value is missing. With `null` as the fallback, a
 * missing value is a failure.
 */
export function readNumber(
  value: unknown,
  fallback: number | null,
  name: string,
  complaints: Complaints,
): number {
  const found = value ?? fallback;
  if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found;
  failValue(name, 'a number of at least 0', found, complaints);
  return 0;
}
