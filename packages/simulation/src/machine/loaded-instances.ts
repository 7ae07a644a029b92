import { addCharges, type Charge, type Resources } from '@mai/memory-ledger';
import type { SimulationClock } from '../clock/simulation-clock.js';
import { chargeOf } from './simulated-resources.js';
import { comparePreference, type SimulatedInstance } from './simulated-instance.js';
import type { SimulatedGrowth, SimulatedModel } from './simulated-model.js';

/**
 * The most requests that all instances together answer at the same time. This is LM Studio's default for one
 * instance. It limits all of them, because only the most preferred instance gets new requests.
 */
const PARALLEL_REQUESTS_MAX = 4;

/** All instances that are loaded or that are being loaded. They answer requests, which makes them grow. */
export class LoadedInstances {
  readonly #clock: SimulationClock;
  readonly #models: readonly SimulatedModel[];
  readonly #growth: Readonly<Record<string, SimulatedGrowth>>;
  readonly #onChange: () => void;
  readonly #instances = new Map<string, SimulatedInstance>();
  /**
   * Cached, because the serving instance is read far more often than it changes. `undefined` until it is worked
   * out.
   */
  #serving: SimulatedInstance | null | undefined;

  constructor(options: {
    readonly clock: SimulationClock;
    readonly models: readonly SimulatedModel[];
    /** By model key. Models without an entry do not grow. */
    readonly growth: Readonly<Record<string, SimulatedGrowth>>;
    /** Called when the charge of the instances has changed. */
    readonly onChange: () => void;
  }) {
    this.#clock = options.clock;
    this.#models = options.models;
    this.#growth = options.growth;
    this.#onChange = options.onChange;
  }

  get instances(): ReadonlyMap<string, SimulatedInstance> {
    return this.#instances;
  }

  add(instance: SimulatedInstance): void {
    this.#instances.set(instance.instanceIdentifier, instance);
    this.#serving = undefined;
    this.#onChange();
  }

  /** Removes an instance. The requests that the instance answers are lost. */
  remove(instanceIdentifier: string): void {
    this.#instances.delete(instanceIdentifier);
    this.#serving = undefined;
    this.#onChange();
  }

  /** Whether all instances together answer the most requests. Further requests are not counted. */
  get isFull(): boolean {
    const requests = [...this.#instances.values()].reduce((sum, one) => sum + one.requests, 0);
    return requests >= PARALLEL_REQUESTS_MAX;
  }

  /**
   * Gives a request to the instance that answers requests. The instance grows when the request ends.
   *
   * @returns the instance; `null` when none is ready, and the request is lost.
   */
  serve(durationMs: number): SimulatedInstance | null {
    const instance = this.serving();
    if (instance === null) return null;
    instance.requests += 1;
    this.#clock.at(this.#clock.nowMs() + durationMs, () => {
      // The instance was unloaded meanwhile, so its request was lost.
      if (this.#instances.get(instance.instanceIdentifier) !== instance) return;
      instance.requests -= 1;
      instance.lastUsedAtMs = this.#clock.nowMs();
      this.#grow(instance);
    });
    return instance;
  }

  #grow(instance: SimulatedInstance): void {
    const growth = this.#growth[instance.modelKey];
    if (growth === undefined || instance.grownBytes >= growth.reachedBytes) return;
    instance.grownBytes = Math.min(
      growth.reachedBytes,
      instance.grownBytes + growth.bytesPerRequest,
    );
    this.#onChange();
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
  serving(): SimulatedInstance | null {
    if (this.#serving !== undefined) return this.#serving;
    const ready = [...this.#instances.values()].filter((one) => one.ready && one.model !== null);
    ready.sort((one, other) => comparePreference(this.#models, one, other));
    this.#serving = ready[0] ?? null;
    return this.#serving;
  }
}
