import type { Capability, LoadConfig, SelectionPolicy, Tier } from '@mai/memory-ledger';
import type { ConfiguredQuality } from './quality/model-facts.js';
import type { RuntimeName } from './format/runtimes.js';

/** A cheaper way to run the same model in a simulation. */
export interface SimulatedRung {
  readonly footprintBytes: number;
  /** `null`: the `vramBytes` of the model. */
  readonly vramBytes: number | null;
  /** How good the answers are, 0 to 1. */
  readonly quality: number;
}

/**
 * Cost and quality of a model in a simulation. `null`: the file does not set the field. The estimator then
 * supplies the value, and the tier supplies `quality`.
 */
export interface SimulatedModel {
  readonly footprintBytes: number | null;
  /** The part of the footprint that is VRAM on a machine whose GPU has memory of its own. */
  readonly vramBytes: number | null;
  readonly loadMs: number | null;
  /** How good the answers are, 0 to 1. */
  readonly quality: number | null;
  /** In order of preference. Each entry is cheaper than the entry before it. */
  readonly rungs: readonly SimulatedRung[];
}

/** One entry of `models`. `null`: the file does not set this field. */
export interface ConfiguredModel {
  readonly modelKey: string;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly tier: Tier | null;
  readonly capabilities: readonly Capability[] | null;
  readonly quality: ConfiguredQuality | null;
  /** The context length with which the model is loaded. */
  readonly contextLengthTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Memory that the model takes without a GPU; 0: the model needs no memory. */
  readonly minMemoryBytes: number | null;
  /**
   * The part of `minMemoryBytes` that moves to VRAM with all layers on the GPU; 0: the model
   * needs no VRAM.
   */
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  /** LM Studio unloads the model after this time without a request; `null`: not set. */
  readonly ttlMs: number | null;
  readonly simulate: SimulatedModel | null;
}

/** One step of a fallback chain. */
export type ChainEntry =
  | { readonly kind: 'model'; readonly modelKey: string }
  /** All steps of another chain. */
  | { readonly kind: 'chain'; readonly name: string }
  /** Every downloaded model with this capability that the chain does not name, large before small. */
  | {
      readonly kind: 'downloaded';
      readonly capability: Capability;
      /** Only models of this tier; `null`: models of every tier. */
      readonly tier: Tier | null;
    };

/** When to switch: the selection policy, and the settings that only the autopilot uses. */
export interface SwitchingConfig extends SelectionPolicy {
  /**
   * `keep`: the chosen model stays loaded while nobody uses it. `release`: the runtime may unload it after
   * its time to live.
   */
  readonly idle: 'keep' | 'release';
  /** How long a switch waits for running requests. */
  readonly drainDeadlineMs: number;
}

/** While a process of this name runs, only candidates of this tier are chosen. */
export interface Rule {
  readonly when: { readonly process: string };
  readonly then: { readonly tier: Tier };
}

/** Settings of the gateway. */
export interface GatewayConfig {
  /**
   * Other names for models. The first pattern that fits a requested name applies; `*` in a pattern stands for
   * any text. The target is `auto`, `auto:NAME` with chains and tiers joined by `+`, or a model key.
   */
  readonly aliases: readonly { readonly pattern: string; readonly target: string }[];
}

/** What the other machines of a fleet may use here, and which of them may answer requests of this machine. */
export interface FleetConfig {
  readonly labels: Readonly<Record<string, string>>;
  /** Chains whose requests other hosts may answer; `null`: every request may leave. */
  readonly chains: readonly string[] | null;
  /** Labels that a host must have to answer requests of this machine. */
  readonly requiredLabels: Readonly<Record<string, string>>;
  readonly guests: {
    /** Share of each pool's limit that loads for other hosts may take, 0 to 1. */
    readonly memoryRatio: number;
    /** Minutes of the local day between which other hosts may load models; `null`: always. */
    readonly hours: { readonly fromMinute: number; readonly toMinute: number } | null;
  };
}

/** A complete configuration: validated, converted to bytes, milliseconds and ratios, deeply frozen. */
export interface ModelConfig {
  readonly version: 1;
  readonly models: readonly ConfiguredModel[];
  /** Chains by name. The object has no prototype, so that any name can be looked up. */
  readonly fallbackChains: Readonly<Record<string, readonly ChainEntry[]>>;
  readonly switching: SwitchingConfig;
  readonly rules: readonly Rule[];
  /** Model keys that are never evicted. */
  readonly pins: readonly string[];
  /** Folders with GGUF files: absolute paths, or paths that begin with `~`. */
  readonly modelFolders: readonly string[];
  readonly gateway: GatewayConfig;
  readonly fleet: FleetConfig;
  /** What loads the models; `null`: LM Studio where it runs, or else the embedded engine. */
  readonly runtime: RuntimeName | null;
}
