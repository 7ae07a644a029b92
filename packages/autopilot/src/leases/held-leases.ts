import type { Resident } from '@mai/selector';
import type { Clock } from '../ports/clock.js';

/** Shared empty array: read every second, almost always empty. */
const NONE: readonly never[] = [];

/** The leases that are held, and those that have ended a short time ago. */
export class HeldLeases {
  readonly #clock: Clock;
  readonly #retainMs: () => number;
  readonly #held = new Map<symbol, string>();
  /** When the last lease on an instance was released, in monotonic milliseconds. */
  readonly #releasedAtMs = new Map<string, number>();

  /** @param retainMs - for how long a resident is retained after its last lease, in milliseconds. */
  constructor(clock: Clock, retainMs: () => number) {
    this.#clock = clock;
    this.#retainMs = retainMs;
  }

  /** Identifiers of leased instances, each once. */
  get identifiers(): readonly string[] {
    return this.#held.size === 0 ? NONE : [...new Set(this.#held.values())];
  }

  /** Holds a lease. Returns the function that releases it, which may be called more than once. */
  hold(instanceIdentifier: string): () => void {
    const key = Symbol(instanceIdentifier);
    this.#held.set(key, instanceIdentifier);
    return () => {
      if (!this.#held.delete(key)) return;
      this.#releasedAtMs.set(instanceIdentifier, this.#clock.monotonicMs());
    };
  }

  /**
   * Identifiers of the residents that are leased, or were leased a short time ago. A copy that is no longer leased is not
   * retained beside a copy of the same model with a longer context: callers that need the longer one would otherwise leave
   * a copy behind at each step.
   */
  retained(residents: readonly Resident[]): readonly string[] {
    if (this.#held.size + this.#releasedAtMs.size === 0) return NONE;
    const sinceMs = this.#clock.monotonicMs() - this.#retainMs();
    for (const [identifier, atMs] of this.#releasedAtMs) {
      if (atMs <= sinceMs) this.#releasedAtMs.delete(identifier);
    }
    const leased = this.identifiers;
    return residents
      .filter(
        (one) =>
          leased.includes(one.instanceIdentifier) ||
          (this.#releasedAtMs.has(one.instanceIdentifier) && !hasLongerCopy(one, residents)),
      )
      .map((one) => one.instanceIdentifier);
  }
}

/** Whether Mai has loaded another copy of the model with a longer context. That copy serves every request that this one serves. */
function hasLongerCopy(
  { modelKey, loadConfig }: Resident,
  residents: readonly Resident[],
): boolean {
  const { contextLengthTokens } = loadConfig;
  return (
    contextLengthTokens !== null &&
    residents.some(
      (other) =>
        other.modelKey === modelKey &&
        !other.foreign &&
        (other.loadConfig.contextLengthTokens ?? 0) > contextLengthTokens,
    )
  );
}
