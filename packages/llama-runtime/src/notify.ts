/**
 * Calls a listener of the caller. The listener's exception is ignored, as documented, so that it does not end the
 * work of this package.
 */
export function notify<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value);
  } catch {
    // Ignored: see above.
  }
}
