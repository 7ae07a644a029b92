import { plus, type Demand } from './pools.js';
import type { SimulatedInstance } from './simulated-instance.js';
import type { SimulatedModel } from './simulated-model.js';

/** What is loaded or being loaded on a simulated machine; asked far more often than it changes. */
export class LoadedInstances {
  readonly #instances = new Map<string, SimulatedInstance>();
  #serving: SimulatedInstance | null | undefined;
  #sum: { readonly others: Demand; readonly demand: Demand } | null = null;

  get instances(): ReadonlyMap<string, SimulatedInstance> {
    return this.#instances;
  }

  add(instance: SimulatedInstance): void {
    this.#instances.set(instance.instanceIdentifier, instance);
    this.#forget();
  }

  remove(instanceIdentifier: string): SimulatedInstance | undefined {
    const instance = this.#instances.get(instanceIdentifier);
    this.#instances.delete(instanceIdentifier);
    this.#forget();
    return instance;
  }

  /** What everything together asks of each pool. */
  demandWith(others: Demand): Demand {
    if (this.#sum?.others !== others) {
      let demand = others;
      for (const one of this.#instances.values()) demand = plus(demand, one.demand);
      this.#sum = { others, demand };
    }
    return this.#sum.demand;
  }

  /** The same without what is ours. */
  demandOfOthersWith(others: Demand): Demand {
    let demand = others;
    for (const one of this.#instances.values()) {
      if (one.model === null) demand = plus(demand, one.demand);
    }
    return demand;
  }

  /** The best of ours that is ready. */
  serving(models: readonly SimulatedModel[]): SimulatedInstance | null {
    if (this.#serving !== undefined) return this.#serving;
    const ready = [...this.#instances.values()].filter((one) => one.ready && one.model !== null);
    const rank = (one: SimulatedInstance): number =>
      models.findIndex((model) => model === one.model) * 100 + one.rungIndex;
    this.#serving = ready.sort((one, other) => rank(one) - rank(other))[0] ?? null;
    return this.#serving;
  }

  #forget(): void {
    this.#serving = undefined;
    this.#sum = null;
  }
}
