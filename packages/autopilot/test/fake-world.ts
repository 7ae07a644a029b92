import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type Footprint,
  type LoadConfig,
  type Resources,
} from '@mai/memory-ledger';
import type { AutopilotPorts } from '../src/ports/autopilot-ports.js';
import type { CallOptions } from '../src/ports/call-options.js';
import { NO_ESTIMATE } from '../src/ports/estimator-port.js';
import type { Clock } from '../src/ports/clock.js';
import type {
  CandidateProfile,
  CatalogQuestion,
  CatalogReading,
} from '../src/ports/catalog-port.js';
import type {
  RuntimeInstance,
  RuntimeLoadRequest,
  RuntimeLoadResult,
} from '../src/ports/runtime-port.js';
import { ManualClock } from './manual-clock.js';

export const GIB = 1024 ** 3;

/** A model of the fake world, with its anonymous RAM at the configured context. */
export interface FakeModel {
  readonly modelKey: string;
  readonly bytes: number;
  /** Part of `bytes` that is KV cache at the configured context of 8192 tokens. */
  readonly kvBytes?: number;
  readonly tier?: 'small' | 'medium' | 'large';
  readonly loadMs?: number;
  /** The most that the model may grow by. Default: not known. */
  readonly growthBytes?: number;
}

type LoadFault =
  | { readonly kind: 'reject'; readonly code: string }
  | { readonly kind: 'context'; readonly contextLengthTokens: number };

export function profile(
  model: FakeModel,
  change: Partial<CandidateProfile> = {},
): CandidateProfile {
  return {
    modelKey: model.modelKey,
    displayName: model.modelKey,
    tier: model.tier ?? 'medium',
    capabilities: ['chat'],
    contextLengthTokens: 8192,
    maxContextLengthTokens: 32_768,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: DEFAULT_LOAD_CONFIG,
    ttlMs: null,
    downloaded: true,
    refusal: null,
    fileStamp: null,
    expandedFrom: null,
    ...change,
  };
}

/** A simulated machine without a GPU, and a simulated LM Studio. Loaded models reduce the available RAM. */
export class FakeWorld {
  readonly clock = new ManualClock();
  readonly models = new Map<string, FakeModel>();
  readonly instances = new Map<string, RuntimeInstance>();
  /** RAM that each model has taken since its load, by model key. */
  readonly grownBytes = new Map<string, number>();
  readonly faults = new Map<string, LoadFault[]>();
  /** Loads and unloads, in order. */
  readonly log: string[] = [];
  totalBytes = 32 * GIB;
  othersBytes = 6 * GIB;
  policy = DEFAULT_SELECTION_POLICY;
  chain: CandidateProfile[] = [];
  /** Other chains, by name. */
  readonly chains = new Map<string, readonly CandidateProfile[]>();
  /** Models that are on the disk and in no chain. */
  others: CandidateProfile[] = [];
  variants: Record<string, string[]> = {};
  loading = 0;
  maxLoading = 0;
  /** When set, every runtime call rejects with this code. */
  down: string | null = null;
  observable = true;

  constructor(models: readonly FakeModel[] = []) {
    for (const model of models) {
      this.models.set(model.modelKey, model);
      this.chain.push(profile(model));
    }
  }

  get ports(): AutopilotPorts {
    return this.portsWith(this.clock);
  }

  portsWith(clock: Clock): AutopilotPorts {
    return {
      runtime: {
        listResidents: async (options) => {
          this.#check(options);
          return [...this.instances.values()];
        },
        load: (request) => this.#load(request, clock),
        unload: async (instanceIdentifier, options) => {
          this.#check(options);
          if (!this.instances.delete(instanceIdentifier)) {
            throw codedError('INSTANCE_NOT_FOUND', `No ${instanceIdentifier}.`);
          }
          this.#forgetGrowth();
          this.log.push(`unload ${instanceIdentifier}`);
        },
      },
      monitor: { snapshot: async () => this.resources(), readRam: null, settled: null },
      survey: {
        survey: async () => ({ ramTotalBytes: this.totalBytes, unified: false, gpus: [] }),
      },
      estimator: {
        estimate: async ({ modelKey, loadConfig }) => ({
          ...NO_ESTIMATE,
          footprint: this.footprint(modelKey, loadConfig),
        }),
      },
      catalog: {
        read: async (question) => this.#read(question),
      },
      engines: null,
      clock,
      runtimeIsLocal: this.observable,
    };
  }

  resources(): Resources {
    const used = [...this.instances.values()].reduce(
      (sum, one) =>
        sum + this.#bytes(one.modelKey, one.loadConfig) + (this.grownBytes.get(one.modelKey) ?? 0),
      this.othersBytes,
    );
    return {
      timestampMs: this.clock.nowMs(),
      observable: true,
      ram: {
        totalBytes: this.totalBytes,
        availableBytes: Math.max(0, this.totalBytes - used),
        mappedCountsAsUsed: false,
      },
      unified: false,
      gpus: [],
      cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
    };
  }

  footprint(modelKey: string, loadConfig: LoadConfig): Footprint | null {
    const model = this.models.get(modelKey);
    if (model === undefined) return null;
    const { growthBytes } = model;
    return {
      ram: { mappedBytes: 0, anonymousBytes: this.#bytes(modelKey, loadConfig) },
      gpus: [],
      interval: null,
      growth: growthBytes === undefined ? null : { ramBytes: growthBytes, gpus: [] },
      source: 'measured',
      confidence: 'high',
    };
  }

  /** Adds a resident instance without a load. By default the identifier is one that Mai would choose. */
  place(modelKey: string, change: Partial<RuntimeInstance> = {}): RuntimeInstance {
    const instance: RuntimeInstance = {
      instanceIdentifier: `mai/${modelKey}`,
      modelKey,
      variant: null,
      sizeBytes: this.models.get(modelKey)?.bytes ?? 0,
      contextLengthTokens: 8192,
      maxContextLengthTokens: 32_768,
      ttlMs: null,
      lastUsedAtMs: null,
      deviceIdentifier: null,
      activity: 'idle',
      queued: 0,
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 },
      keepModelInMemory: null,
      ...change,
    };
    this.instances.set(instance.instanceIdentifier, instance);
    return instance;
  }

  setActivity(instanceIdentifier: string, activity: string): void {
    const instance = this.instances.get(instanceIdentifier);
    if (instance === undefined) throw new Error(`No ${instanceIdentifier}.`);
    this.instances.set(instanceIdentifier, { ...instance, activity });
  }

  failNextLoad(modelKey: string, fault: LoadFault): void {
    this.faults.set(modelKey, [...(this.faults.get(modelKey) ?? []), fault]);
  }

  residentKeys(): string[] {
    return [...this.instances.values()].map((one) => one.modelKey).sort();
  }

  #read({ chain, modelKey = null }: CatalogQuestion): CatalogReading {
    const { policy, variants } = this;
    if (modelKey !== null) {
      const all = [...this.chain, ...this.others];
      const named = all.filter((one) => one.modelKey === modelKey);
      return { chain: named, policy, variants: {}, capability: null, whyEmpty: null };
    }
    const all = this.chains.get(chain ?? '') ?? this.chain;
    return { chain: all, policy, variants, capability: null, whyEmpty: null };
  }

  async #load(request: RuntimeLoadRequest, clock: Clock): Promise<RuntimeLoadResult> {
    this.#check(request);
    this.log.push(`load ${request.modelKey}`);
    this.loading += 1;
    this.maxLoading = Math.max(this.maxLoading, this.loading);
    try {
      const loadMs = this.models.get(request.modelKey)?.loadMs ?? 2000;
      await clock.sleep(loadMs / 2, { signal: request.signal ?? null });
      request.onProgress(0.5);
      await clock.sleep(loadMs / 2, { signal: request.signal ?? null });
      this.#check(request);
      const fault = this.faults.get(request.modelKey)?.shift();
      if (fault?.kind === 'reject') {
        throw codedError(fault.code, `${request.modelKey} did not load.`);
      }
      const asked = request.loadConfig.contextLengthTokens;
      const contextLengthTokens = fault?.contextLengthTokens ?? asked;
      const instance = this.place(request.modelKey, {
        instanceIdentifier: request.identifier,
        ttlMs: request.ttlMs,
        contextLengthTokens,
        loadConfig: { ...request.loadConfig, contextLengthTokens },
      });
      request.onProgress(1);
      return {
        instance,
        verified:
          contextLengthTokens === asked
            ? []
            : [{ field: 'contextLengthTokens', asked, got: contextLengthTokens }],
      };
    } finally {
      this.loading -= 1;
    }
  }

  #bytes(modelKey: string, loadConfig: LoadConfig): number {
    const model = this.models.get(modelKey);
    if (model === undefined) return 0;
    const kvBytes = model.kvBytes ?? 0;
    const share = (loadConfig.contextLengthTokens ?? 8192) / 8192;
    const bits: Partial<Record<string, number>> = { q8_0: 8.5 / 16, q4_0: 4.5 / 16 };
    const precision = bits[loadConfig.kvCacheTypeK ?? 'f16'] ?? 1;
    return Math.round(model.bytes - kvBytes + kvBytes * share * precision);
  }

  /** The growth of a model ends with its last instance. */
  #forgetGrowth(): void {
    const keys = new Set(this.residentKeys());
    for (const modelKey of this.grownBytes.keys()) {
      if (!keys.has(modelKey)) this.grownBytes.delete(modelKey);
    }
  }

  #check(options: CallOptions): void {
    options.signal?.throwIfAborted();
    if (this.down !== null) throw codedError(this.down, 'LM Studio is not running.');
  }
}

export function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
