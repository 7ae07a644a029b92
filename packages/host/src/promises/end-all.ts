/**
 * Calls the functions one after another, each after the one before has ended, also where it has failed. So a part that cannot be
 * closed does not keep the others open.
 *
 * @throws the first error, after all calls
 */
export async function endAll(ends: Iterable<() => void | Promise<unknown>>): Promise<void> {
  const errors: unknown[] = [];
  for (const end of ends) {
    try {
      await end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
