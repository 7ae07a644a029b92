import type { Clock } from '../../ports/clock.js';

/** A client that sends the same request within this time has probably left because of its own time limit. */
const RETURN_MS = 60_000;
const KEYS_MAX = 256;

/** The loads that were cancelled a short time ago, because their last client had left. */
export class CancelledLoads {
  readonly #clock: Clock;
  /** When each load was cancelled, in monotonic milliseconds, by the key of its group. */
  readonly #atMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string): void {
    this.#atMs.delete(key);
    this.#atMs.set(key, this.#clock.monotonicMs());
    if (this.#atMs.size <= KEYS_MAX) return;
    const [oldest] = this.#atMs.keys();
    if (oldest !== undefined) this.#atMs.delete(oldest);
  }

  has(key: string): boolean {
    const atMs = this.#atMs.get(key);
    return atMs !== undefined && this.#clock.monotonicMs() - atMs < RETURN_MS;
  }
}
