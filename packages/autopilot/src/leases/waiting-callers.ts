import { targetKey, type LeaseRequest, type LeaseTarget } from '../request/lease-request.js';
import type { AcquireResult, Turn } from './lease.js';

/** A caller that waits for a lease. */
export interface Waiter {
  readonly request: LeaseRequest;
  readonly target: LeaseTarget;
  readonly key: string;
  /** The last round that had begun when the caller asked. */
  readonly round: number;
  /** Whether a decision was made for the request. */
  considered: boolean;
  readonly resolve: (result: AcquireResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** The callers that wait for a lease, in the order in which the requests of a target come first. */
export class WaitingCallers implements Iterable<Waiter> {
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<() => void>();

  get size(): number {
    return this.#waiters.size;
  }

  /** The keys of the targets that callers wait for. */
  get keys(): ReadonlySet<string> {
    return new Set([...this.#waiters].map(({ key }) => key));
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return [...this.#waiters][Symbol.iterator]();
  }

  /** Calls a listener each time that a caller begins to wait or leaves. Returns a function that ends this. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until `settle` or `reject`, or until the signal fires. */
  wait(
    request: LeaseRequest,
    target: LeaseTarget,
    round: number,
    signal: AbortSignal | null,
  ): Promise<AcquireResult> {
    return new Promise((resolve, reject) => {
      const forget = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        // A copy, because one object may be passed to several calls.
        request: { ...request },
        target,
        key: targetKey(target),
        round,
        considered: false,
        resolve: (result) => {
          forget();
          resolve(result);
        },
        reject: (reason) => {
          forget();
          // The caller's own reason, which may be any value.
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.reject(waiter, signal?.reason);
        this.#notify();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#notify();
    });
  }

  settle(waiter: Waiter, result: AcquireResult): void {
    this.#waiters.delete(waiter);
    waiter.resolve(result);
  }

  reject(waiter: Waiter, reason: unknown): void {
    this.#waiters.delete(waiter);
    waiter.reject(reason);
  }

  /** The turn of a target; null where nobody waits for it. In its next turn, another request comes first. */
  takeTurn(key: string): Turn | null {
    const waiters = [...this].filter((waiter) => waiter.key === key);
    const [first] = waiters;
    if (first === undefined) return null;
    this.#waiters.delete(first);
    this.#waiters.add(first);
    return { key, target: first.target, requests: waiters.map(({ request }) => request) };
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
