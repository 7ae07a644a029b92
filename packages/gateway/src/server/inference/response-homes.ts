/** Maximum number of responses whose resident is remembered. An agent continues a recent one. */
const RESPONSES_MAX = 10_000;

/** Remembers which resident gave a response, because only that resident can continue it. Forgets the oldest. */
export class ResponseHomes {
  readonly #residents = new Map<string, string>();

  /** The resident's instance identifier; null where it is not known. */
  find(responseId: string): string | null {
    return this.#residents.get(responseId) ?? null;
  }

  add(responseId: string, instanceIdentifier: string): void {
    this.#residents.set(responseId, instanceIdentifier);
    if (this.#residents.size <= RESPONSES_MAX) return;
    const [oldest] = this.#residents.keys();
    if (oldest !== undefined) this.#residents.delete(oldest);
  }
}
