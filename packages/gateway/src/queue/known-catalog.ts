import type { LivePort } from '../ports/live-port.js';
import type { ServingCatalog } from '../ports/serving-port.js';
import { failureOfMachine } from './failures/scheduling-failures.js';

/** The catalog as it was read last. */
export class KnownCatalog {
  readonly #port: LivePort;
  #last: ServingCatalog | null = null;
  /** Changes so far, and how many of them the last reading has seen. */
  #changes = 0;
  #seen = -1;
  #isRefreshing = false;

  constructor(port: LivePort) {
    this.#port = port;
  }

  /** Null before the first reading. */
  get last(): ServingCatalog | null {
    return this.#last;
  }

  /** Whether models or residents may have changed since the last reading. */
  get isOutdated(): boolean {
    return this.#seen !== this.#changes;
  }

  outdate(): void {
    this.#changes += 1;
  }

  /**
   * Reads the catalog. Where the machine is out of reach, the last one is good enough for requests that a lane serves.
   *
   * @throws SchedulingFailure, or the signal's reason
   */
  async read(signal: AbortSignal): Promise<ServingCatalog> {
    const changes = this.#changes;
    try {
      return this.#keep(await this.#port.catalog({ signal }), changes);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (this.#last === null) throw failureOfMachine(error, null, null);
      return this.#last;
    }
  }

  /** Reads the catalog again, unless that is under way. Calls `done` after each reading. */
  refresh(done: () => void): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const changes = this.#changes;
    this.#port.catalog().then(
      (catalog) => {
        this.#isRefreshing = false;
        this.#keep(catalog, changes);
        done();
      },
      () => {
        // The machine is out of reach. The next acquire fails with the reason, which the clients get.
        this.#isRefreshing = false;
        this.#seen = changes;
        done();
      },
    );
  }

  #keep(catalog: ServingCatalog, changes: number): ServingCatalog {
    if (changes >= this.#seen) {
      this.#last = catalog;
      this.#seen = changes;
    }
    return catalog;
  }
}
