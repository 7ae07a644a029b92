/**
 * Returns a function that makes a value at its first call, and returns the same value at each later call. Where making it fails,
 * the next call tries again.
 */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  const values = new Map<null, Promise<Value>>();
  return () => values.get(null) ?? keep(values, null, make());
}

/**
 * Keeps a promised value in a map, and returns it. A promise that rejects is removed, so that the next caller tries again: a fault
 * that has passed must not last as long as the map.
 */
export function keep<Key, Value>(
  values: Map<Key, Promise<Value>>,
  key: Key,
  value: Promise<Value>,
): Promise<Value> {
  values.set(key, value);
  value.catch(() => {
    if (values.get(key) === value) values.delete(key);
  });
  return value;
}
