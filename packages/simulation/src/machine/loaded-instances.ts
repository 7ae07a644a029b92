import { addCharges, type Charge, type Resources } from '@mai/memory-ledger';
import { chargeOf } from './simulated-resources.js';
import { comparePreference, type SimulatedInstance } from './simulated-instance.js';
import type { SimulatedModel } from './simulated-model.js';

/** All instances that are loaded or that are being loaded. */
export class LoadedInstances {
  readonly #instances = new Map<string, SimulatedInstance>();
  /**
   * Cached, because the serving instance is read far more often than it changes. `undefined` until it is worked
   * out.
   */
  #serving: SimulatedInstance | null | undefined;

  get instances(): ReadonlyMap<string, SimulatedInstance> {
    return this.#instances;
  }

  add(instance: SimulatedInstance): void {
    this.#instances.set(instance.instanceIdentifier, instance);
    this.#serving = undefined;
  }

  remove(instanceIdentifier: string): void {
    this.#instances.delete(instanceIdentifier);
    this.#serving = undefined;
  }

  /** Number of requests that all instances answer now. */
  get requests(): number {
    return [...this.#instances.values()].reduce((sum, one) => sum + one.requests, 0);
  }

  /** The charge of all of Mai's instances, and the charge of all instances that were loaded by hand. */
  charges(resources: Resources): { readonly ours: Charge; readonly foreign: Charge } {
    const ours: Charge[] = [new Map([['ram', this.grownBytes]])];
    const foreign: Charge[] = [];
    for (const { model, footprint } of this.#instances.values()) {
      (model === null ? foreign : ours).push(chargeOf(footprint, resources));
    }
    return { ours: addCharges(ours), foreign: addCharges(foreign) };
  }

  /** RAM that all instances have taken since their loads. */
  get grownBytes(): number {
    return [...this.#instances.values()].reduce((sum, one) => sum + one.grownBytes, 0);
  }

  /**
   * The instance that answers requests: the most preferred of Mai's ready instances. `null` when no such
   * instance is ready.
   */
  serving(models: readonly SimulatedModel[]): SimulatedInstance | null {
    if (this.#serving !== undefined) return this.#serving;
    const ready = [...this.#instances.values()].filter((one) => one.ready && one.model !== null);
    ready.sort((one, other) => comparePreference(models, one, other));
    this.#serving = ready[0] ?? null;
    return this.#serving;
  }
}
