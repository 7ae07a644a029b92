/** Every tier, the smallest first. */
export const TIERS = ['small', 'medium', 'large'] as const;

/** How large a model is, coarsely: what a person would call it when asked what their machine can run. */
export type Tier = (typeof TIERS)[number];

/** Every capability that a configuration can name, in the order of display. */
export const CAPABILITIES = [
  'chat',
  'reasoning',
  'analysis',
  'coding',
  'tools',
  'vision',
  'embedding',
] as const;

/** What a model is good for. */
export type Capability = (typeof CAPABILITIES)[number];

/** Number type of the KV cache, as llama.cpp names it. */
export type KvCacheType =
  'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl';

/** How a model is loaded. `null` leaves the field to LM Studio. */
export interface LoadConfig {
  readonly contextLengthTokens: number | null;
  readonly parallelSequences: number | null;
  /** Share of layers on the GPU, 0 to 1. */
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Share of expert layers kept on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number | null;
}

/** A cheaper way to run the same model in a simulation. */
export interface SimulatedRung {
  readonly footprintBytes: number;
  /** `null`: as much as the model itself. */
  readonly vramBytes: number | null;
  /** 0 to 1. */
  readonly quality: number;
}

/** What a model costs and is worth in a simulation; `null` lets the estimator and the tier stand in. */
export interface SimulatedModel {
  readonly footprintBytes: number | null;
  /** The part of the footprint that goes to VRAM where there is a GPU with memory of its own. */
  readonly vramBytes: number | null;
  readonly loadMs: number | null;
  /** 0 to 1. */
  readonly quality: number | null;
  /** In order of preference, each cheaper than the one before. */
  readonly rungs: readonly SimulatedRung[];
}

/** One entry of `models`. `null` means that the file doesn't say. */
export interface ConfiguredModel {
  readonly modelKey: string;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly tier: Tier | null;
  readonly capabilities: readonly Capability[] | null;
  /** The context length to load with. */
  readonly contextLengthTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Memory that the model takes with no GPU. */
  readonly minMemoryBytes: number | null;
  /** The part of it that moves to VRAM with all layers on the GPU. */
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  /** LM Studio unloads the model after so long without a request; `null`: not set here. */
  readonly ttlMs: number | null;
  readonly simulate: SimulatedModel | null;
}

/** One step of a fallback chain. */
export type ChainEntry =
  | { readonly kind: 'model'; readonly modelKey: string }
  /** All steps of another chain. */
  | { readonly kind: 'chain'; readonly name: string }
  /**
   * Every downloaded model with this capability that the chain names nowhere, large before small; only
   * those of one tier, unless that is null.
   */
  | {
      readonly kind: 'downloaded';
      readonly capability: Capability;
      readonly tier: Tier | null;
    };

/** When to switch. Ratios are 0 to 1. */
export interface SwitchingConfig {
  /** Limit on RAM, or on a unified pool. */
  readonly memoryLimitRatio: number;
  readonly vramLimitRatio: number;
  readonly cpuLimitRatio: number;
  /** Above this even a drain is cut short. */
  readonly hardLimitRatio: number;
  readonly unifiedHardLimitRatio: number;
  /** The lowest that the upgrade threshold gets; the highest is `memoryLimitRatio` less 0.02. */
  readonly upgradeBelowRatioMin: number;
  readonly minHeadroomBytes: number;
  readonly dwellMs: number;
  readonly coolDownMs: number;
  /** Whether an idle unload by TTL is prevented (`keep`) or respected (`release`). */
  readonly idle: 'keep' | 'release';
  /** How long a switch waits for running requests. */
  readonly drainDeadlineMs: number;
  /** What may be done with residents that Mai did not load. */
  readonly foreign: 'observe' | 'evict-idle' | 'evict';
  readonly foreignIdleMs: number;
}

/** While a process of this name runs, candidates are held to this tier. */
export interface Rule {
  readonly when: { readonly process: string };
  readonly then: { readonly tier: Tier };
}

/** A whole configuration: validated, converted to bytes, milliseconds and ratios, deeply frozen. */
export interface ModelConfig {
  readonly version: 1;
  readonly models: readonly ConfiguredModel[];
  /** By name. The object has no prototype, so any name can be looked up safely. */
  readonly fallbackChains: Readonly<Record<string, readonly ChainEntry[]>>;
  readonly switching: SwitchingConfig;
  readonly rules: readonly Rule[];
  /** Model keys that are never evicted. */
  readonly pins: readonly string[];
}
