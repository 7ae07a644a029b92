/** The instances that get no new lease, and why. */
export class ClosedResidents {
  /** Instances that are being unloaded. */
  readonly #leaving = new Set<string>();
  /** Instances that have failed, with the last round that had begun then. */
  readonly #failed = new Map<string, number>();
  /** Instances that the switch in progress drains, and whether each is unloaded at the end of its drain in any case. */
  readonly #draining = new Map<string, boolean>();

  /** Whether an instance has failed since the last listing. */
  get hasFailed(): boolean {
    return this.#failed.size > 0;
  }

  /** Closes an instance until the next observation, because it is being unloaded. */
  leave(instanceIdentifier: string): void {
    this.#leaving.add(instanceIdentifier);
  }

  /** Closes an instance until a listing that began after `round`, because it has failed. */
  fail(instanceIdentifier: string, round: number): void {
    this.#failed.set(instanceIdentifier, round);
  }

  /**
   * Notes that the switch in progress drains an instance.
   *
   * @param isForced - whether the instance is unloaded at the end of the drain even if it is still busy. A request that begins now would
   *   then be cut off.
   */
  drain(instanceIdentifier: string, isForced: boolean): void {
    this.#draining.set(instanceIdentifier, isForced);
  }

  /** Opens the drained instances again, because the switch has ended. */
  endDrains(): void {
    this.#draining.clear();
  }

  /** Takes a new observation of the residents. */
  observe({ fresh, round }: { readonly fresh: boolean; readonly round: number }): void {
    this.#leaving.clear();
    if (!fresh) return;
    for (const [identifier, failedIn] of this.#failed) {
      if (round > failedIn) this.#failed.delete(identifier);
    }
  }

  has(instanceIdentifier: string): boolean {
    return (
      this.#leaving.has(instanceIdentifier) ||
      this.#failed.has(instanceIdentifier) ||
      this.#draining.get(instanceIdentifier) === true
    );
  }

  /** Whether a switch drains an instance. Such an instance gets a lease only where no other resident meets the request. */
  isDraining(instanceIdentifier: string): boolean {
    return this.#draining.has(instanceIdentifier);
  }
}
