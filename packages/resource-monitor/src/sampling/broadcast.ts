/** Hands each value to every listener. A slow listener gets only the newest value, so no queue builds up. */
export interface Broadcast<T> {
  readonly listeners: number;
  publish(value: T): void;
  /** Ends all iterations. With null the iterations end normally, else they reject with the error. */
  end(failure: { readonly error: unknown } | null): void;
  /** Adds a listener. `onLeave` is called once, when the listener leaves for any reason. */
  listen(signal: AbortSignal | null, onLeave: () => void): AsyncIterableIterator<T>;
}

interface Listener<T> {
  /** The newest value that the listener has not taken yet. */
  newest: { readonly value: T } | null;
  /** Wakes the listener's calls of `next` that wait for a value. */
  waiting: (() => void)[];
}

export function createBroadcast<T>(): Broadcast<T> {
  const listeners = new Set<Listener<T>>();
  let ending: { readonly failure: { readonly error: unknown } | null } | null = null;

  const wake = (listener: Listener<T>): void => {
    for (const resume of listener.waiting.splice(0)) resume();
  };

  return {
    get listeners() {
      return listeners.size;
    },
    publish(value) {
      for (const listener of listeners) {
        listener.newest = { value };
        wake(listener);
      }
    },
    end(failure) {
      ending ??= { failure };
      for (const listener of listeners) wake(listener);
    },
    listen(signal, onLeave) {
      const listener: Listener<T> = { newest: null, waiting: [] };
      listeners.add(listener);
      let left = false;
      const leave = (): void => {
        if (left) return;
        left = true;
        listeners.delete(listener);
        signal?.removeEventListener('abort', onAbort);
        onLeave();
      };
      // The listener leaves at once, because a consumer that aborts may never call `next` again.
      const onAbort = (): void => {
        leave();
        wake(listener);
      };
      if (signal?.aborted === true) leave();
      else signal?.addEventListener('abort', onAbort, { once: true });
      const next = async (): Promise<IteratorResult<T>> => {
        for (;;) {
          if (signal?.aborted === true) {
            leave();
            throw signal.reason;
          }
          if (left) return { done: true, value: undefined };
          if (ending !== null) {
            leave();
            if (ending.failure !== null) throw ending.failure.error;
            return { done: true, value: undefined };
          }
          if (listener.newest !== null) {
            const { value } = listener.newest;
            listener.newest = null;
            return { done: false, value };
          }
          await new Promise<void>((resolve) => {
            listener.waiting.push(resolve);
          });
        }
      };
      return {
        next,
        return() {
          leave();
          wake(listener);
          return Promise.resolve({ done: true as const, value: undefined });
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  };
}
