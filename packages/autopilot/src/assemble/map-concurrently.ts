/**
 * Maps in order with at most `limit` calls under way. The first rejection wins; no further call is
 * started after it.
 */
export async function mapConcurrently<In, Out>(
  items: readonly In[],
  limit: number,
  call: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      try {
        results[index] = await call(items[index] as In);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
