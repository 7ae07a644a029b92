import type { Group } from './group.js';

const FAILED_MAX = 64;

/** Residents that failed, and that the machine has not looked at again. */
export class FailedResidents {
  readonly #identifiers = new Set<string>();

  add(identifier: string): void {
    this.#identifiers.add(identifier);
    if (this.#identifiers.size <= FAILED_MAX) return;
    const [oldest] = this.#identifiers;
    if (oldest !== undefined) this.#identifiers.delete(oldest);
  }

  delete(identifier: string): void {
    this.#identifiers.delete(identifier);
  }

  has(identifier: string): boolean {
    return this.#identifiers.has(identifier);
  }

  /** The failed residents to name when a group asks for a lease: the noted ones, and those that its requests name. */
  namedWith({ tickets }: Group): readonly string[] {
    const named = [...tickets].flatMap(({ request }) => request.wanted.failed);
    return [...new Set([...named, ...this.#identifiers])];
  }
}
