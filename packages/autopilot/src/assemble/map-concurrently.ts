/**
 * Maps items to results in their order, with at most `limit` calls at the same time. Rejects with the first
 * error, and starts no call after it.
 */
export async function mapConcurrently<In, Out>(
  items: readonly In[],
  limit: number,
  call: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  const pending = items.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    // All workers take their items from the same iterator.
    for (const [index, item] of pending) {
      if (failed) return;
      try {
        results[index] = await call(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
