import { createRandom, exponential } from '../random.js';
import type { SimulationClock } from '../clock/simulation-clock.js';
import type { TraceRow } from '../trace/trace.js';

/**
 * Requests as a Poisson process with exponentially distributed durations. The same seed and rates give the same
 * requests.
 */
export class RequestStream {
  readonly #clock: SimulationClock;
  readonly #random: () => number;
  readonly #onRequest: (durationMs: number) => void;
  #requests: TraceRow['requests'] = { ratePerMinute: 0, meanSeconds: 0 };
  #cancel = (): void => undefined;

  constructor(clock: SimulationClock, seed: number, onRequest: (durationMs: number) => void) {
    this.#clock = clock;
    this.#random = createRandom(seed);
    this.#onRequest = onRequest;
  }

  /** Changes the rate and the mean duration from now on. */
  follow(requests: TraceRow['requests']): void {
    this.#requests = requests;
    // In a Poisson process the next arrival does not depend on earlier ones, so it can be drawn again.
    this.#cancel();
    this.#awaitNext();
  }

  #awaitNext(): void {
    const { ratePerMinute } = this.#requests;
    if (ratePerMinute <= 0) return;
    const waitMs = exponential(this.#random, 60_000 / ratePerMinute);
    this.#cancel = this.#clock.at(this.#clock.nowMs() + waitMs, () => {
      this.#onRequest(exponential(this.#random, this.#requests.meanSeconds * 1000));
      this.#awaitNext();
    });
  }
}
