import type { Resources, SelectionPolicy } from '@mai/selector';
import type {
  RuntimeInstance,
  RuntimeLoadRequest,
  RuntimeLoadResult,
} from '../ports/runtime-port.js';
import { createRandom, exponential } from './random.js';
import { describeInstance, type SimulatedInstance } from './simulated-instance.js';
import type { SimulationClock } from './simulation-clock.js';
import {
  demandOf,
  rungIndexOf,
  rungsOf,
  type Demand,
  type SimulatedModel,
} from './simulated-model.js';
import type { TraceEvent, TraceRow } from './trace.js';

const REQUESTS_AT_ONCE_MAX = 4;
const GPU_KEY = 'simulated:';

/** Told of what happens, as it happens. */
export interface MachineObserver {
  onLoaded(instance: SimulatedInstance): void;
  onUnloaded(instance: SimulatedInstance): void;
  onRequest(served: SimulatedInstance | null): void;
}

/** A machine with an LM Studio on it; what the rest of it does comes from a trace. */
export class SimulatedMachine {
  readonly clock: SimulationClock;
  readonly instances = new Map<string, SimulatedInstance>();
  readonly models: readonly SimulatedModel[];
  readonly policy: SelectionPolicy;
  #row: TraceRow;
  #observer: MachineObserver | null = null;
  #down = false;
  #gpuLost = false;
  #failLoads = 0;
  #requests = 0;
  #cancelArrival = (): void => undefined;
  readonly #random: () => number;

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
    this.#random = createRandom(options.seed);
    for (const row of options.trace) {
      this.clock.at(row.tMs, () => {
        this.#enter(row);
      });
    }
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
    return this.#row.gpus.some((gpu) => !gpu.unified);
  }

  /** What everything together asks of each pool; `withModels: false` leaves ours out. */
  demand(withModels: boolean): Demand {
    const vramOthers = this.#row.gpus.find((gpu) => !gpu.unified)?.othersBytes ?? 0;
    let { othersBytes: ramBytes } = this.#row.ram;
    let vramBytes = vramOthers;
    for (const one of this.instances.values()) {
      if (one.model !== null && !withModels) continue;
      ramBytes += one.demand.ramBytes;
      vramBytes += one.demand.vramBytes;
    }
    return { ramBytes, vramBytes };
  }

  get vramTotalBytes(): number {
    return this.#row.gpus.find((gpu) => !gpu.unified)?.totalBytes ?? 0;
  }

  get unified(): boolean {
    return this.#row.gpus.some((gpu) => gpu.unified);
  }

  resources(): Resources {
    const { ramBytes, vramBytes } = this.demand(true);
    const row = this.#row;
    const available = (total: number, used: number): number => Math.max(0, total - used);
    const own = row.gpus.findIndex((gpu) => !gpu.unified);
    return {
      timestampMs: this.clock.nowMs(),
      observable: true,
      ram: {
        totalBytes: row.ram.totalBytes,
        availableBytes: available(row.ram.totalBytes, ramBytes),
        mappedCountsAsUsed: false,
      },
      unified: this.unified,
      gpus: row.gpus.map((gpu, index) => ({
        deviceKey: `${GPU_KEY}${index}`,
        name: `GPU ${index}`,
        memory: gpu.unified ? ('shared' as const) : ('dedicated' as const),
        totalBytes: gpu.totalBytes,
        availableBytes:
          this.#gpuLost || gpu.unified
            ? null
            : available(gpu.totalBytes, index === own ? vramBytes : gpu.othersBytes),
      })),
      cpu: { utilizationRatio: row.cpuOthersRatio, othersRatio: row.cpuOthersRatio },
    };
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
      demand: demandOf(rung, this.hasGpu),
      ready: false,
      requests: 0,
      lastUsedAtMs: null,
    };
    this.instances.set(request.identifier, loading);
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
      this.instances.delete(request.identifier);
      throw error;
    }
    const instance = { ...loading, ready: true };
    this.instances.set(request.identifier, instance);
    this.#observer?.onLoaded(instance);
    return { instance: describeInstance(instance, this.hasGpu), verified: [] };
  }

  unload(instanceIdentifier: string): void {
    this.#check();
    const instance = this.instances.get(instanceIdentifier);
    if (instance === undefined) throw coded('INSTANCE_NOT_FOUND', `No ${instanceIdentifier}.`);
    this.instances.delete(instanceIdentifier);
    this.#requests -= instance.requests;
    this.#observer?.onUnloaded(instance);
  }

  /** The best of ours that is ready. */
  serving(): SimulatedInstance | null {
    const ready = [...this.instances.values()].filter((one) => one.ready && one.model !== null);
    const rank = (one: SimulatedInstance): number =>
      this.models.findIndex((model) => model === one.model) * 100 + one.rungIndex;
    return ready.sort((one, other) => rank(one) - rank(other))[0] ?? null;
  }

  #enter(row: TraceRow): void {
    this.#row = row;
    for (const event of row.events) this.#happen(event);
    // Arrivals have no memory: at a new rate the next one is simply drawn anew.
    this.#cancelArrival();
    this.#awaitRequest();
  }

  #happen(event: TraceEvent): void {
    switch (event.type) {
      case 'lmStudioDown':
        this.#down = true;
        for (const identifier of [...this.instances.keys()]) {
          const instance = this.instances.get(identifier);
          this.instances.delete(identifier);
          if (instance !== undefined) this.#requests -= instance.requests;
        }
        break;
      case 'lmStudioUp':
        this.#down = false;
        break;
      case 'failNextLoads':
        this.#failLoads += event.count;
        break;
      case 'foreignLoad':
        this.instances.set(event.instanceIdentifier, {
          instanceIdentifier: event.instanceIdentifier,
          model: null,
          modelKey: event.modelKey,
          rungIndex: 0,
          demand: { ramBytes: event.ramBytes, vramBytes: event.vramBytes },
          ready: true,
          requests: 0,
          lastUsedAtMs: this.clock.nowMs(),
        });
        break;
      case 'foreignUnload':
        this.instances.delete(event.instanceIdentifier);
        break;
      case 'gpuLost':
        this.#gpuLost = true;
        break;
      case 'gpuBack':
        this.#gpuLost = false;
    }
  }

  #awaitRequest(): void {
    const { ratePerMinute } = this.#row.requests;
    if (ratePerMinute <= 0) return;
    const waitMs = exponential(this.#random, 60_000 / ratePerMinute);
    this.#cancelArrival = this.clock.at(this.clock.nowMs() + waitMs, () => {
      this.#arrive();
      this.#awaitRequest();
    });
  }

  #arrive(): void {
    const durationMs = exponential(this.#random, this.#row.requests.meanSeconds * 1000);
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
