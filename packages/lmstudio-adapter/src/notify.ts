/** Calls a listener of the caller. Its exception is ignored, as documented: it must not end the work of this package. */
export function notify<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value);
  } catch {
    // Ignored: see above.
  }
}
