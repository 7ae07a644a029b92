import type { Requirement, Resident, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';

/** The use of a resident model: while it is held the model counts as busy and is not unloaded. */
export interface Lease extends Disposable {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** Ends the use. May be called more than once. */
  release(): void;
}

/** A lease, or the decision that says why there is none. */
export type AcquireResult =
  | { readonly lease: Lease; readonly selection: null }
  | { readonly lease: null; readonly selection: Selection };

interface Waiter {
  readonly requirement: Requirement;
  readonly resolve: (result: AcquireResult) => void;
  readonly reject: (reason: Error) => void;
}

/** Asked for every second, and hardly ever anybody. */
const NOBODY: readonly never[] = [];

/** Who uses what, and who waits for something to use. */
export class LeaseDesk {
  readonly #held = new Map<
    symbol,
    { readonly identifier: string; readonly requirement: Requirement }
  >();
  readonly #waiters = new Set<Waiter>();
  /** Identifiers that are being unloaded: nothing is lent out that is about to go. */
  readonly #leaving = new Set<string>();
  #input: AssembledInput | null = null;

  /** What the holders and the waiting need, besides what is asked for anyway. */
  get requirements(): readonly Requirement[] {
    if (this.#held.size === 0 && this.#waiters.size === 0) return NOBODY;
    const held = [...this.#held.values()].map((one) => one.requirement);
    return [...held, ...[...this.#waiters].map((one) => one.requirement)];
  }

  get leased(): readonly string[] {
    if (this.#held.size === 0) return NOBODY;
    return [...new Set([...this.#held.values()].map((one) => one.identifier))];
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  isLeased(instanceIdentifier: string): boolean {
    return this.leased.includes(instanceIdentifier);
  }

  /** A fresh view of the world: serves everybody who can be served from it. */
  observe(input: AssembledInput): void {
    this.#input = input;
    this.#leaving.clear();
    for (const waiter of this.#waiters) {
      const lease = this.#lend(waiter.requirement, isOurs);
      if (lease !== null) this.#settle(waiter, { lease, selection: null });
    }
  }

  /** From now on `instanceIdentifier` is not lent out; called in the same turn as the last check. */
  leave(instanceIdentifier: string): void {
    this.#leaving.add(instanceIdentifier);
  }

  /**
   * Nothing will be loaded for those who wait. Where the decision is to keep an instance that meets the requirement, it
   * is lent, also if somebody else has loaded it; otherwise they get the decision that says why.
   */
  turnAway(selection: Selection): void {
    const kept = selection.decision === 'keep' ? selection.chosen?.instanceIdentifier : null;
    for (const waiter of this.#waiters) {
      const lease = this.#lend(waiter.requirement, (one) => one.instanceIdentifier === kept);
      this.#settle(waiter, lease === null ? { lease, selection } : { lease, selection: null });
    }
  }

  /** The autopilot stops. */
  close(reason: Error): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.reject(reason);
    }
  }

  acquire(requirement: Requirement, signal: AbortSignal | null): Promise<AcquireResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const lease = this.#lend(requirement, isOurs);
      if (lease !== null) {
        resolve({ lease, selection: null });
        return;
      }
      const forget = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        requirement,
        resolve: (result) => {
          forget();
          resolve(result);
        },
        reject: (reason) => {
          forget();
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        waiter.reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #settle(waiter: Waiter, result: AcquireResult): void {
    this.#waiters.delete(waiter);
    waiter.resolve(result);
  }

  #lend(requirement: Requirement, offered: (resident: Resident) => boolean): Lease | null {
    const resident = this.#input?.residents.find(
      (one) =>
        offered(one) && !this.#leaving.has(one.instanceIdentifier) && this.#meets(one, requirement),
    );
    if (resident === undefined) return null;
    const { instanceIdentifier, modelKey } = resident;
    const key = Symbol(instanceIdentifier);
    this.#held.set(key, { identifier: instanceIdentifier, requirement });
    const release = (): void => {
      this.#held.delete(key);
    };
    return { instanceIdentifier, modelKey, release, [Symbol.dispose]: release };
  }

  #meets(resident: AssembledInput['residents'][number], requirement: Requirement): boolean {
    const candidate = this.#input?.candidates.find((one) => one.modelKey === resident.modelKey);
    if (candidate === undefined) return false;
    const { capabilities, minContextLengthTokens, tiers } = requirement;
    const context = resident.loadConfig.contextLengthTokens;
    return (
      capabilities.every((capability) => candidate.capabilities.includes(capability)) &&
      (tiers?.includes(candidate.tier) ?? true) &&
      (minContextLengthTokens === null || (context !== null && context >= minContextLengthTokens))
    );
  }
}

function isOurs({ foreign }: Resident): boolean {
  return !foreign;
}
