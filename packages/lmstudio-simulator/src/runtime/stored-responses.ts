/** The conversations behind the identifiers of responses, for `previous_response_id`. They end with the process. */
export class StoredResponses {
  readonly #conversations = new Map<string, string>();

  /** The text of the conversation that ends with a response; `null`: not known. */
  find(responseIdentifier: string): string | null {
    return this.#conversations.get(responseIdentifier) ?? null;
  }

  add(responseIdentifier: string, conversation: string): void {
    this.#conversations.set(responseIdentifier, conversation);
  }

  clear(): void {
    this.#conversations.clear();
  }
}
