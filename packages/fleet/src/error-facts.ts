/** The code of a thrown value, such as `ENOENT`; null where it has none. */
export function codeOf(error: unknown): string | null {
  const has = typeof error === 'object' && error !== null && 'code' in error;
  return has && typeof error.code === 'string' ? error.code : null;
}

/** The message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
