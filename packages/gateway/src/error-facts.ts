/** The `code` of a thrown value; null where it has none. */
export function codeOf(error: unknown): string | null {
  const has = typeof error === 'object' && error !== null && 'code' in error;
  return has && typeof error.code === 'string' ? error.code : null;
}

/** The message of a thrown value. Errors of another realm count, too. */
export function messageOf(error: unknown): string {
  const has = typeof error === 'object' && error !== null && 'message' in error;
  return has && typeof error.message === 'string' ? error.message : String(error);
}
