/** A JSON object as it is parsed. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object, and neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Array.isArray` without `any` for the items. */
export function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
