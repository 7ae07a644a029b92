import type { RuntimeInstance, RuntimeLoadRequest, RuntimeLoadResult } from '@mai/autopilot';
import type { Charge, Footprint, Pool, Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { SimulationClock } from '../clock/simulation-clock.js';
import type { TraceEvent, TraceRow } from '../trace/trace.js';
import { loadOptionIndexOf } from './load-configs.js';
import { LoadedInstances } from './loaded-instances.js';
import type { MachineObserver } from './machine-observer.js';
import { RequestStream } from './request-stream.js';
import { describeInstance, type SimulatedInstance } from './simulated-instance.js';
import {
  loadOptionsOf,
  type SimulatedGrowth,
  type SimulatedLoadOption,
  type SimulatedModel,
} from './simulated-model.js';
import {
  chargeOf,
  footprintOf,
  foreignFootprint,
  poolsOfRow,
  resourcesInUse,
  resourcesOfRow,
} from './simulated-resources.js';

/** A machine with LM Studio whose memory, requests and events follow a trace. */
export class SimulatedMachine {
  readonly clock: SimulationClock;
  readonly models: readonly SimulatedModel[];
  readonly policy: SelectionPolicy;
  readonly #growth: Readonly<Record<string, SimulatedGrowth>>;
  readonly #requestStream: RequestStream;
  readonly #loaded: LoadedInstances;
  readonly #gpusLost = new Set<number>();
  #row: TraceRow;
  #empty: Resources;
  /** `null` after a change, until the pools are worked out again. */
  #pools: readonly Pool[] | null = null;
  #observer: MachineObserver | null = null;
  #down = false;
  #failLoads = 0;

  constructor(options: {
    readonly clock: SimulationClock;
    readonly trace: readonly TraceRow[];
    readonly models: readonly SimulatedModel[];
    readonly policy: SelectionPolicy;
    readonly seed: number;
    /** By model key. Models without an entry do not grow, and their growth is not known. */
    readonly growth: Readonly<Record<string, SimulatedGrowth>>;
  }) {
    const [first] = options.trace;
    if (first === undefined) throw new RangeError('A trace needs at least one row.');
    this.clock = options.clock;
    this.models = options.models;
    this.policy = options.policy;
    this.#growth = options.growth;
    this.#row = first;
    this.#empty = resourcesOfRow(first);
    this.#loaded = new LoadedInstances({
      ...options,
      onChange: () => {
        this.#pools = null;
      },
    });
    this.#requestStream = new RequestStream(options.clock, options.seed, (durationMs) => {
      if (this.#loaded.isFull) return;
      const instance = this.#loaded.serve(durationMs);
      this.#observer?.onRequest(instance);
    });
    for (const row of options.trace) {
      this.clock.at(row.tMs, () => {
        this.#enter(row);
      });
    }
  }

  get instances(): ReadonlyMap<string, SimulatedInstance> {
    return this.#loaded.instances;
  }

  observe(observer: MachineObserver | null): void {
    this.#observer = observer;
  }

  get down(): boolean {
    return this.#down;
  }

  get hasDedicatedGpu(): boolean {
    return this.#row.gpus.some((gpu) => !gpu.unified);
  }

  /** Every pool now. Mai's instances are the residents, and all other use is use by others. */
  get pools(): readonly Pool[] {
    this.#pools ??= poolsOfRow(this.#row, this.policy, this.#loaded.charges(this.#empty));
    return this.#pools;
  }

  /** The charge of all of Mai's instances. */
  get ours(): Charge {
    return this.#loaded.charges(this.#empty).ours;
  }

  /** The resources that a monitor would read now. */
  resources(): Resources {
    return resourcesInUse(this.#empty, this.pools, this.#gpusLost, this.clock.nowMs());
  }

  /** RAM that all instances have taken since their loads. */
  get grownBytes(): number {
    return this.#loaded.grownBytes;
  }

  footprintOf(modelKey: string, loadOption: SimulatedLoadOption): Footprint {
    const growth = this.#growth[modelKey];
    return {
      ...footprintOf(loadOption, this.#empty),
      growth: growth === undefined ? null : { ramBytes: growth.mostBytes, gpus: [] },
    };
  }

  /** The bytes that a load takes of each pool. */
  chargeOf(model: SimulatedModel): Charge {
    return chargeOf(this.footprintOf(model.profile.modelKey, model), this.#empty);
  }

  /** Loads a model. Its memory is taken at once, and the instance is ready after the load time. */
  async load(request: RuntimeLoadRequest): Promise<RuntimeLoadResult> {
    this.#check();
    const model = this.models.find((one) => one.profile.modelKey === request.modelKey);
    if (model === undefined) {
      throw coded('MODEL_NOT_FOUND', `There is no model '${request.modelKey}'.`);
    }
    const { hasDedicatedGpu } = this;
    const loadOptionIndex = Math.max(
      0,
      loadOptionIndexOf(model, request.loadConfig, hasDedicatedGpu),
    );
    const loading: SimulatedInstance = {
      instanceIdentifier: request.identifier,
      model,
      modelKey: request.modelKey,
      loadOptionIndex,
      footprint: this.footprintOf(request.modelKey, loadOptionsOf(model)[loadOptionIndex] ?? model),
      ready: false,
      requests: 0,
      lastUsedAtMs: null,
      grownBytes: 0,
    };
    this.#loaded.add(loading);
    try {
      await this.clock.sleep(model.loadMs, { signal: request.signal ?? null });
      this.#check();
      if (this.instances.get(request.identifier) !== loading) {
        throw coded('UNREACHABLE', 'LM Studio was restarted during the load.');
      }
      if (this.#failLoads > 0) {
        this.#failLoads -= 1;
        throw coded('LOAD_FAILED', `${request.modelKey} did not load.`);
      }
    } catch (error) {
      // After a restart of LM Studio another instance may have this identifier.
      if (this.instances.get(request.identifier) === loading) {
        this.#loaded.remove(request.identifier);
      }
      throw error;
    }
    const instance = { ...loading, ready: true };
    this.#loaded.add(instance);
    this.#observer?.onLoaded();
    return { instance: describeInstance(instance, hasDedicatedGpu), verified: [] };
  }

  unload(instanceIdentifier: string): void {
    this.#check();
    const instance = this.instances.get(instanceIdentifier);
    if (instance === undefined) {
      throw coded('INSTANCE_NOT_FOUND', `There is no instance '${instanceIdentifier}'.`);
    }
    const before = this.pools;
    this.#loaded.remove(instanceIdentifier);
    this.#observer?.onUnloaded(instance, before);
  }

  /** The instances that LM Studio lists as loaded. */
  list(): RuntimeInstance[] {
    this.#observer?.onQuery();
    this.#check();
    return [...this.instances.values()]
      .filter((instance) => instance.ready)
      .map((instance) => describeInstance(instance, this.hasDedicatedGpu));
  }

  /** The instance that answers requests; `null` when no instance of Mai is ready. */
  serving(): SimulatedInstance | null {
    return this.#loaded.serving();
  }

  #enter(row: TraceRow): void {
    this.#row = row;
    this.#empty = resourcesOfRow(row);
    this.#pools = null;
    for (const event of row.events) this.#happen(event);
    this.#requestStream.follow(row.requests);
  }

  #happen(event: TraceEvent): void {
    switch (event.type) {
      case 'lmStudioDown':
        this.#down = true;
        this.#loseAll();
        break;
      case 'lmStudioUp':
        this.#down = false;
        break;
      case 'failNextLoads':
        this.#failLoads += event.count;
        break;
      case 'foreignLoad':
        this.#loaded.add({
          instanceIdentifier: event.instanceIdentifier,
          model: null,
          modelKey: event.modelKey,
          loadOptionIndex: 0,
          footprint: foreignFootprint(event, this.#row),
          ready: true,
          requests: 0,
          lastUsedAtMs: this.clock.nowMs(),
          grownBytes: 0,
        });
        break;
      case 'foreignUnload':
        this.#loaded.remove(event.instanceIdentifier);
        break;
      case 'gpuLost':
        for (const index of this.#row.gpus.keys()) {
          if (event.gpu === undefined || event.gpu === index) this.#gpusLost.add(index);
        }
        break;
      case 'gpuBack':
        if (event.gpu === undefined) this.#gpusLost.clear();
        else this.#gpusLost.delete(event.gpu);
    }
  }

  #loseAll(): void {
    const lost = [...this.instances.values()];
    for (const { instanceIdentifier } of lost) this.#loaded.remove(instanceIdentifier);
    this.#observer?.onLost(lost);
  }

  #check(): void {
    if (this.#down) throw coded('UNREACHABLE', 'LM Studio is down.');
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
