/** Returns a function that makes a value at its first call, and returns the same value at each later call. */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | null = null;
  return () => (value ??= make());
}
