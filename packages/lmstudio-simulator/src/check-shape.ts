import * as z from 'zod/mini';

const { localeError } = z.locales.en();

/** Checks a value; every problem is one line that starts with its place. */
export function checkShape<T>(
  schema: z.ZodMiniType<T>,
  value: unknown,
  whole: string,
): { readonly data: T } | { readonly issues: readonly string[] } {
  // Per call, because zod's configuration is global to the process of whoever uses this package.
  const result = schema.safeParse(value, { error: localeError });
  if (result.success) return { data: result.data };
  const place = (path: readonly PropertyKey[]): string =>
    path.length > 0 ? path.map(String).join('.') : whole;
  return { issues: result.error.issues.map(({ path, message }) => `${place(path)}: ${message}`) };
}
