import * as z from 'zod/mini';

const { localeError } = z.locales.en();

/**
 * The problems of a value, one line for each problem. A line begins with the path within the value. Empty where
 * the value matches the schema.
 *
 * @param whole - the name of the value, for a problem of the value as a whole.
 */
export function findProblems(
  schema: z.ZodMiniType,
  value: unknown,
  whole: string,
): readonly string[] {
  // The locale is passed here, because zod's global setting would change the locale of the whole process.
  const result = schema.safeParse(value, { error: localeError });
  if (result.success) return [];
  const place = (path: readonly PropertyKey[]): string =>
    path.length > 0 ? path.map(String).join('.') : whole;
  return result.error.issues.map(({ path, message }) => `${place(path)}: ${message}`);
}
