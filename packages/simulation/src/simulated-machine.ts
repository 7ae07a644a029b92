import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { RuntimeInstance, RuntimeLoadRequest, RuntimeLoadResult } from '@mai/autopilot';
import { boundsOf, gpuSharesOf, othersOf, type Bounds, type Demand } from './pools.js';
import { LoadedInstances } from './loaded-instances.js';
import { RequestStream } from './request-stream.js';
import { describeInstance, foreignDemand, type SimulatedInstance } from './simulated-instance.js';
import { demandOf, rungIndexOf, rungsOf, type SimulatedModel } from './simulated-model.js';
import { resourcesOf } from './simulated-resources.js';
import type { SimulationClock } from './simulation-clock.js';
import type { TraceEvent, TraceRow } from './trace.js';

const REQUESTS_AT_ONCE_MAX = 4;

/** Told of what happens, as it happens. */
export interface MachineObserver {
  onLoaded(instance: SimulatedInstance): void;
  onUnloaded(instance: SimulatedInstance): void;
  /** The runtime went down, with everything that was loaded. */
  onLost(lost: readonly SimulatedInstance[]): void;
  onRequest(served: SimulatedInstance | null): void;
}

/** A machine with an LM Studio on it; what the rest of it does comes from a trace. */
export class SimulatedMachine {
  readonly clock: SimulationClock;
  readonly models: readonly SimulatedModel[];
  readonly policy: SelectionPolicy;
  readonly #requestStream: RequestStream;
  #row: TraceRow;
  #bounds: Bounds;
  #others: Demand;
  readonly #loaded = new LoadedInstances();
  #observer: MachineObserver | null = null;
  #down = false;
  readonly #gpusLost = new Set<number>();
  #failLoads = 0;
  #requests = 0;

  constructor(options: {
    readonly clock: SimulationClock;
    readonly trace: readonly TraceRow[];
    readonly models: readonly SimulatedModel[];
    readonly policy: SelectionPolicy;
    readonly seed: number;
  }) {
    const [first] = options.trace;
    if (first === undefined) throw new RangeError('A trace needs at least one row.');
    this.clock = options.clock;
    this.models = options.models;
    this.policy = options.policy;
    this.#row = first;
    this.#bounds = boundsOf(first, options.policy);
    this.#others = othersOf(first);
    this.#requestStream = new RequestStream(options.clock, options.seed, (durationMs) => {
      this.#serve(durationMs);
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

  observe(observer: MachineObserver): void {
    this.#observer = observer;
  }

  get row(): TraceRow {
    return this.#row;
  }

  get down(): boolean {
    return this.#down;
  }

  /** Whether there is a GPU with memory of its own. */
  get hasGpu(): boolean {
    return this.#bounds.limit.length > 1;
  }

  get bounds(): Bounds {
    return this.#bounds;
  }

  /** What a way to load a model takes here. */
  demandOf(rung: Parameters<typeof demandOf>[0]): Demand {
    return demandOf(rung, gpuSharesOf(this.#row));
  }

  /** What everything together asks of each pool. */
  demand(): Demand {
    return this.#loaded.demandWith(this.#others);
  }

  /** What somebody else's model takes; null where there is none. */
  demandOfForeign(modelKey: string): Demand | null {
    const instances = [...this.instances.values()];
    return instances.find((one) => one.model === null && one.modelKey === modelKey)?.demand ?? null;
  }

  /** The same without what is ours. */
  demandOfOthers(): Demand {
    return this.#loaded.demandOfOthersWith(this.#others);
  }

  resources(): Resources {
    return resourcesOf(this.#row, this.demand(), this.#gpusLost, this.clock.nowMs());
  }

  async load(request: RuntimeLoadRequest): Promise<RuntimeLoadResult> {
    this.#check();
    const model = this.models.find((one) => one.profile.modelKey === request.modelKey);
    if (model === undefined) throw coded('MODEL_NOT_FOUND', `No ${request.modelKey}.`);
    const rungIndex = Math.max(0, rungIndexOf(model, request.loadConfig, this.hasGpu));
    const rung = rungsOf(model)[rungIndex] ?? model;
    const loading: SimulatedInstance = {
      instanceIdentifier: request.identifier,
      model,
      modelKey: request.modelKey,
      rungIndex,
      demand: this.demandOf(rung),
      ready: false,
      requests: 0,
      lastUsedAtMs: null,
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
      // Somebody may have taken the name meanwhile.
      if (this.instances.get(request.identifier) === loading) this.#take(request.identifier);
      throw error;
    }
    const instance = { ...loading, ready: true };
    this.#loaded.add(instance);
    this.#observer?.onLoaded(instance);
    return { instance: describeInstance(instance, this.hasGpu), verified: [] };
  }

  unload(instanceIdentifier: string): void {
    this.#check();
    const instance = this.instances.get(instanceIdentifier);
    if (instance === undefined) throw coded('INSTANCE_NOT_FOUND', `No ${instanceIdentifier}.`);
    this.#take(instanceIdentifier);
    this.#observer?.onUnloaded(instance);
  }

  /** The best of ours that is ready. */
  serving(): SimulatedInstance | null {
    return this.#loaded.serving(this.models);
  }

  /** What it was serving goes with it. */
  #take(instanceIdentifier: string): void {
    this.#requests -= this.#loaded.remove(instanceIdentifier)?.requests ?? 0;
  }

  #enter(row: TraceRow): void {
    this.#row = row;
    this.#bounds = boundsOf(row, this.policy);
    this.#others = othersOf(row);
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
          rungIndex: 0,
          demand: foreignDemand(event),
          ready: true,
          requests: 0,
          lastUsedAtMs: this.clock.nowMs(),
        });
        break;
      case 'foreignUnload':
        this.#take(event.instanceIdentifier);
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
    for (const { instanceIdentifier } of lost) this.#take(instanceIdentifier);
    this.#observer?.onLost(lost);
  }

  #serve(durationMs: number): void {
    if (this.#requests >= REQUESTS_AT_ONCE_MAX) return;
    const instance = this.serving();
    this.#observer?.onRequest(instance);
    if (instance === null) return;
    instance.requests += 1;
    this.#requests += 1;
    this.clock.at(this.clock.nowMs() + durationMs, () => {
      // Unloaded or restarted meanwhile: the request went with it.
      if (this.instances.get(instance.instanceIdentifier) !== instance) return;
      instance.requests -= 1;
      instance.lastUsedAtMs = this.clock.nowMs();
      this.#requests -= 1;
    });
  }

  /** What LM Studio says is loaded. */
  list(): RuntimeInstance[] {
    this.#check();
    return [...this.instances.values()]
      .filter((instance) => instance.ready)
      .map((instance) => describeInstance(instance, this.hasGpu));
  }

  #check(): void {
    if (this.#down) throw coded('UNREACHABLE', 'LM Studio is down.');
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
