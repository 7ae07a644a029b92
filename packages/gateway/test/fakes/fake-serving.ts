import type { Clock } from '../../src/ports/clock.js';
import type { LivePort } from '../../src/ports/live-port.js';
import {
  ANY_MODEL,
  type ServingCatalog,
  type ServingChange,
  type ServingLease,
  type ServingModel,
  type ServingPlan,
  type ServingRequest,
} from '../../src/ports/serving-port.js';

/** A model of a `FakeMachine`. */
export interface FakeModel {
  readonly modelKey: string;
  readonly sizeBytes: number;
  readonly loadMs: number;
  readonly tier?: 'small' | 'medium' | 'large';
  readonly capabilities?: readonly string[];
  readonly contextLengthTokens?: number;
}

interface FakeResident {
  readonly model: FakeModel;
  readonly leases: Set<FakeLease>;
  usedAt: number;
}

interface FakeLease extends ServingLease {
  releases: number;
  lose(): void;
}

/** A machine with so many bytes of memory, behind the port. Its loads take time by the clock, and one runs at a time. */
export class FakeMachine implements LivePort {
  readonly residents = new Map<string, FakeResident>();
  /** Every lease that was given. */
  readonly leases: FakeLease[] = [];
  readonly acquires: ServingRequest[] = [];
  readonly listeners = new Set<(change: ServingChange) => void>();
  loads = 0;
  /** Loads that unloaded another model. */
  switches = 0;
  /** Thrown by the next acquires. */
  failure: Error | null = null;
  openAcquires = 0;
  /** Whether the leases that are given are for one request. */
  leasesAreForOneRequest = false;
  runtime: ServingCatalog['runtime'] = 'lmstudio';
  /** The hosts of the fleet; null: no fleet. */
  hosts: readonly string[] | null = null;
  chains: Record<string, readonly string[]>;
  readonly #models: ReadonlyMap<string, FakeModel>;
  readonly #wakes = new Set<() => void>();
  #isLoading = false;
  #uses = 0;

  readonly known = (): null => null;

  constructor(
    readonly clock: Clock,
    readonly memoryBytes: number,
    models: readonly FakeModel[],
  ) {
    this.#models = new Map(models.map((model) => [model.modelKey, model]));
    this.chains = { default: models.map(({ modelKey }) => modelKey) };
  }

  emit(change: ServingChange): void {
    for (const listener of [...this.listeners]) listener(change);
  }

  onChange(listener: (change: ServingChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async catalog(): Promise<ServingCatalog> {
    return {
      models: [...this.#models.values()].map((model) => this.#describe(model)),
      chains: this.chains,
      aliases: [],
      otherNames: {},
      leftOut: {},
      unreachableNote: null,
      runtime: this.runtime,
      runtimeAnswers: true,
      runtimeVersion: null,
      decisionId: null,
      hosts: this.hosts,
    };
  }

  async plan(request: ServingRequest): Promise<ServingPlan> {
    const rejected = this.#rejected(request);
    if (this.#serving(request) !== null)
      return {
        decision: 'serve',
        modelKey: null,
        unloads: [],
        loadBytes: null,
        selection: { decision: 'keep', rejected },
      };
    const model = this.#choose(request);
    if (model === null)
      return {
        decision: 'none',
        modelKey: null,
        unloads: [],
        loadBytes: null,
        selection: { decision: 'none', rejected },
      };
    return {
      decision: 'load',
      modelKey: model.modelKey,
      unloads: this.#inTheWay(model),
      loadBytes: model.sizeBytes,
      selection: { decision: 'switch', rejected },
    };
  }

  async acquire(
    request: ServingRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ServingLease> {
    this.acquires.push(request);
    this.openAcquires += 1;
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.failure !== null) throw this.failure;
        const serving = this.#serving(request);
        if (serving !== null) return this.#lease(serving);
        const model = this.#choose(request);
        if (model === null) throw this.#nothingFits(request);
        const unloads = this.#inTheWay(model);
        const busy = unloads.filter((one) => (this.residents.get(one)?.leases.size ?? 0) > 0);
        if (!this.#isLoading && busy.length === 0) void this.#load(model, unloads);
        else if (!this.#isLoading)
          for (const instanceIdentifier of busy)
            this.emit({ type: 'draining', instanceIdentifier });
        await this.#nextChange(signal);
      }
    } finally {
      this.openAcquires -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listeners.clear();
  }

  /** Ends a resident without asking, as a crash does. */
  crash(instanceIdentifier: string): void {
    const resident = this.residents.get(instanceIdentifier);
    this.residents.delete(instanceIdentifier);
    for (const lease of [...(resident?.leases ?? [])]) lease.lose();
    this.emit({ type: 'catalog' });
  }

  async #load(model: FakeModel, unloads: readonly string[]): Promise<void> {
    this.#isLoading = true;
    this.loads += 1;
    if (unloads.length > 0) this.switches += 1;
    for (const identifier of unloads) this.residents.delete(identifier);
    this.emit({ type: 'catalog' });
    this.emit({ type: 'loading', modelKey: model.modelKey, progressRatio: 0.5 });
    await new Promise<void>((resolve) => this.clock.setTimer(model.loadMs, resolve));
    this.#isLoading = false;
    this.residents.set(model.modelKey, { model, leases: new Set(), usedAt: this.#uses++ });
    this.emit({ type: 'loaded', modelKey: model.modelKey, tookMs: model.loadMs });
    this.emit({ type: 'switched' });
    this.emit({ type: 'catalog' });
    this.#wake();
  }

  #lease(identifier: string): FakeLease {
    const resident = this.residents.get(identifier);
    if (resident === undefined) throw new Error(`No resident ${identifier}`);
    const lost = new AbortController();
    const { model } = resident;
    const lease: FakeLease = {
      modelKey: model.modelKey,
      instanceIdentifier: identifier,
      tier: model.tier ?? 'medium',
      capabilities: model.capabilities ?? ['chat'],
      contextLengthTokens: model.contextLengthTokens ?? 8192,
      baseUrl: 'http://127.0.0.1:1234',
      requestHeaders: {},
      decisionId: null,
      peer: null,
      forOneRequest: this.leasesAreForOneRequest,
      ended: null,
      placementId: null,
      lost: lost.signal,
      releases: 0,
      lose: () => lost.abort(),
      release: async () => {
        lease.releases += 1;
        resident.leases.delete(lease);
        this.#wake();
      },
    };
    resident.leases.add(lease);
    resident.usedAt = this.#uses++;
    this.leases.push(lease);
    return lease;
  }

  #serving(request: ServingRequest): string | null {
    for (const [identifier, { model }] of this.residents) {
      const isNamed = request.instanceIdentifier ?? identifier;
      if (isNamed === identifier && this.#meets(model, request)) return identifier;
    }
    return null;
  }

  #choose(request: ServingRequest): FakeModel | null {
    if (request.instanceIdentifier !== null) return null;
    const keys =
      request.modelKey === null
        ? (this.chains[request.chain ?? 'default'] ?? [])
        : [request.modelKey];
    const models = keys.flatMap((key) => this.#models.get(key) ?? []);
    const fits = (model: FakeModel): boolean =>
      model.sizeBytes <= this.memoryBytes && this.#meets(model, request);
    return models.find(fits) ?? null;
  }

  #meets(model: FakeModel, request: ServingRequest): boolean {
    const {
      modelKey,
      tier = 'medium',
      capabilities = ['chat'],
      contextLengthTokens = 8192,
    } = model;
    if (request.modelKey !== null && request.modelKey !== modelKey) return false;
    const isNamed = request.modelKey !== null || request.instanceIdentifier !== null;
    if (!isNamed && this.chains[request.chain ?? 'default']?.includes(modelKey) !== true)
      return false;
    return (
      request.tiers?.includes(tier) !== false &&
      request.capabilities.every((one) => capabilities.includes(one)) &&
      contextLengthTokens >= (request.minContextLengthTokens ?? 0)
    );
  }

  /** The residents that a load unloads: idle ones first, the least recently used first. */
  #inTheWay(model: FakeModel): readonly string[] {
    const order = [...this.residents].sort(
      ([, one], [, other]) =>
        Math.sign(one.leases.size) - Math.sign(other.leases.size) || one.usedAt - other.usedAt,
    );
    let used = order.reduce((sum, [, resident]) => sum + resident.model.sizeBytes, 0);
    const unloads: string[] = [];
    for (const [identifier, resident] of order) {
      if (used + model.sizeBytes <= this.memoryBytes) break;
      used -= resident.model.sizeBytes;
      unloads.push(identifier);
    }
    return unloads;
  }

  #rejected(request: ServingRequest): ServingPlan['selection']['rejected'] {
    return [...this.#models.values()].map((model) => ({
      modelKey: model.modelKey,
      rejection: { code: this.#meets(model, request) ? 'INSUFFICIENT_RAM' : 'MISSING_CAPABILITY' },
    }));
  }

  #nothingFits(request: ServingRequest): Error {
    const isUnknown = request.modelKey !== null && !this.#models.has(request.modelKey);
    return Object.assign(new Error(isUnknown ? `No model ${request.modelKey}` : 'Nothing fits'), {
      code: isUnknown ? 'MODEL_NOT_FOUND' : 'NOTHING_FITS',
      selection: { decision: 'none', rejected: this.#rejected(request) },
    });
  }

  #describe(model: FakeModel): ServingModel {
    const contextLengthTokens = model.contextLengthTokens ?? 8192;
    const residents = [...this.residents].filter(([, resident]) => resident.model === model);
    return {
      modelKey: model.modelKey,
      displayName: model.modelKey,
      kind: 'llm',
      tier: model.tier ?? 'medium',
      capabilities: model.capabilities ?? ['chat'],
      contextLengthTokens,
      maxContextLengthTokens: contextLengthTokens,
      sizeBytes: model.sizeBytes,
      downloaded: true,
      hosts: null,
      residents: residents.map(([instanceIdentifier]) => ({
        instanceIdentifier,
        contextLengthTokens,
        foreign: false,
        host: null,
      })),
    };
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  #nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#wakes.delete(done);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#wakes.delete(done);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#wakes.add(done);
    });
  }
}

/** A request for one model. */
export function wantsKey(modelKey: string): ServingRequest {
  return { ...ANY_MODEL, modelKey };
}
