/** A field of a JSON object. Undefined: the value is not an object, or lacks the field. */
export function field(value: unknown, ...names: readonly (string | number)[]): unknown {
  let at: unknown = value;
  for (const name of names) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

/** A field that is a list. */
export function listField(
  value: unknown,
  ...names: readonly (string | number)[]
): readonly unknown[] {
  const found = field(value, ...names);
  return Array.isArray(found) ? found : [];
}

/** The message of an error in an answer. Null: the answer has no error. */
export function errorIn(value: unknown): string | null {
  const error = field(value, 'error');
  if (error === undefined || error === null) return null;
  const message = typeof error === 'string' ? error : field(error, 'message');
  return typeof message === 'string' ? message : JSON.stringify(error);
}
