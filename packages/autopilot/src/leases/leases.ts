import type { Requirement, Resident, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';

/** A promise that a model stays resident: while the lease is held, the model counts as busy. */
export interface Lease extends Disposable {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /** Ends the use. May be called more than once. */
  release(): void;
}

/** A lease, or the decision that says why no lease is given. */
export type AcquireResult =
  | { readonly lease: Lease; readonly selection: null }
  | { readonly lease: null; readonly selection: Selection };

interface Waiter {
  readonly requirement: Requirement;
  readonly resolve: (result: AcquireResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Shared empty array: read every second, almost always empty. */
const NONE: readonly never[] = [];

/** The leases that are held, and the callers that wait for a lease. */
export class Leases {
  readonly #held = new Map<
    symbol,
    { readonly identifier: string; readonly requirement: Requirement }
  >();
  readonly #waiters = new Set<Waiter>();
  /** Identifiers of instances that are being unloaded; they get no new lease. */
  readonly #leaving = new Set<string>();
  #input: AssembledInput | null = null;

  /** The requirements of the callers that hold a lease or wait for one. */
  get requirements(): readonly Requirement[] {
    if (this.#held.size === 0 && this.#waiters.size === 0) return NONE;
    return [...this.#held.values(), ...this.#waiters].map((one) => one.requirement);
  }

  /** Identifiers of leased instances, each once. */
  get leased(): readonly string[] {
    if (this.#held.size === 0) return NONE;
    return [...new Set([...this.#held.values()].map((one) => one.identifier))];
  }

  /** How many callers wait for a lease. */
  get waiting(): number {
    return this.#waiters.size;
  }

  isLeased(instanceIdentifier: string): boolean {
    return this.leased.includes(instanceIdentifier);
  }

  /** Takes a new observation, and gives leases to callers that wait for one of its residents. */
  observe(input: AssembledInput): void {
    this.#input = input;
    this.#leaving.clear();
    for (const waiter of this.#waiters) {
      const lease = this.#grant(waiter.requirement, isOurs);
      if (lease !== null) this.#settle(waiter, { lease, selection: null });
    }
  }

  /** Blocks new leases on an instance. Call it in the turn of the event loop that read its activity. */
  leave(instanceIdentifier: string): void {
    this.#leaving.add(instanceIdentifier);
  }

  /**
   * Answers waiting callers for whom no model will be loaded. If the decision keeps an instance that meets the
   * requirement, the caller gets a lease on that instance, even if it is foreign. Otherwise the caller gets the
   * decision.
   *
   * @param considered - the requirements that the decision was made for. Other callers go on waiting.
   */
  answer(selection: Selection, considered: readonly Requirement[]): void {
    const kept = selection.decision === 'keep' ? selection.chosen?.instanceIdentifier : null;
    for (const waiter of this.#waiters) {
      if (!considered.includes(waiter.requirement)) continue;
      const lease = this.#grant(waiter.requirement, (one) => one.instanceIdentifier === kept);
      this.#settle(waiter, lease === null ? { lease, selection } : { lease, selection: null });
    }
  }

  /** Rejects every waiting caller, because the autopilot stops. */
  close(reason: Error): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.reject(reason);
    }
  }

  /**
   * Resolves at once if a resident meets the requirement. Otherwise waits for a later observation or answer.
   */
  acquire(requirement: Requirement, signal: AbortSignal | null): Promise<AcquireResult> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const lease = this.#grant(requirement, isOurs);
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
          // The caller's own reason, which may be any value.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        waiter.reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #settle(waiter: Waiter, result: AcquireResult): void {
    this.#waiters.delete(waiter);
    waiter.resolve(result);
  }

  #grant(requirement: Requirement, offered: (resident: Resident) => boolean): Lease | null {
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

  #meets(resident: Resident, requirement: Requirement): boolean {
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
