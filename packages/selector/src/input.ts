/** How a number of the KV cache is stored; llama.cpp's names. */
export type KvCacheType =
  'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl';

/** How a model is loaded; null leaves a field to LM Studio's default. */
export interface LoadConfig {
  /** Tokens of context for each sequence. */
  readonly contextLengthTokens: number | null;
  readonly parallelSequences: number | null;
  /** Share of the layers on the GPU, 0 to 1. */
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Share of the expert layers kept on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number | null;
}

/** What a model takes when resident, in bytes. */
export interface Footprint {
  readonly ram: {
    /** Memory-mapped weights: evictable, and on Linux not counted as used. */
    readonly mappedBytes: number;
    /** Everything else in RAM, locked weights included. */
    readonly anonymousBytes: number;
  };
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** Of the total over RAM and GPUs; null when nothing is known about the error. */
  readonly interval: {
    readonly coverage: number;
    readonly lowBytes: number;
    readonly highBytes: number;
  } | null;
  readonly source: 'measured' | 'lmstudio' | 'gguf-header' | 'file-size' | 'configured';
  readonly confidence: 'high' | 'medium' | 'low';
}

/** One GPU of a machine. */
export interface GpuResources {
  /** Stable over restarts; a footprint names its GPUs by it. */
  readonly deviceKey: string;
  readonly name: string;
  /** `shared`: its memory is system RAM, and `totalBytes` only caps what it may take of that. */
  readonly memory: 'dedicated' | 'shared';
  readonly totalBytes: number | null;
  /** Null is unmeasured, not full. */
  readonly availableBytes: number | null;
}

/** What a machine has and has left; the fields of a snapshot that a decision reads. */
export interface Resources {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** False when LM Studio runs on another machine, of which only totals are known. */
  readonly observable: boolean;
  readonly ram: {
    readonly totalBytes: number;
    readonly availableBytes: number | null;
    /** Whether the OS takes mapped pages off what is available: Windows does, Linux does not. */
    readonly mappedCountsAsUsed: boolean;
  };
  /** CPU and GPU share one pool, as on Apple silicon. */
  readonly unified: boolean;
  readonly gpus: readonly GpuResources[];
  readonly cpu: {
    /** 0 to 1 over all cores. */
    readonly utilizationRatio: number | null;
    /** The same without LM Studio's engines. */
    readonly othersRatio: number | null;
  };
}

/** How large a model is among its peers. */
export type Tier = 'small' | 'medium' | 'large';

/** One way to load a candidate, with what that would cost. */
export interface LoadOption {
  readonly loadConfig: LoadConfig;
  /** Null: unknown, so it is never loaded blind. */
  readonly footprint: Footprint | null;
  /** LM Studio's own verdict; null when it was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
}

/** A model in play for a decision, with its load configurations in order of preference. */
export interface Candidate {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  readonly downloaded: boolean;
  readonly maxContextLengthTokens: number | null;
  readonly loadOptions: readonly LoadOption[];
  /** After a failed load, milliseconds since the epoch; null when it may be tried. */
  readonly coolingDownUntilMs: number | null;
}

/** A loaded copy of a model. */
export interface Resident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint | null;
  /** Generating, or with requests in its queue. */
  readonly busy: boolean;
  readonly pinned: boolean;
  /** Not loaded by Mai. */
  readonly foreign: boolean;
  /** Milliseconds since the epoch; null when never used or unknown. */
  readonly lastUsedAtMs: number | null;
}

/** What the chosen model must offer. */
export interface Requirement {
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  /** Null allows all tiers. */
  readonly tiers: readonly Tier[] | null;
}

/** The limits a decision keeps to. Ratios are 0 to 1 of a pool's total. */
export interface SelectionPolicy {
  readonly memoryLimitRatio: number;
  readonly vramLimitRatio: number;
  readonly cpuLimitRatio: number;
  /** Above this, memory is about to run out. */
  readonly hardLimitRatio: number;
  /** The same for a unified pool, whose GPU part cannot be swapped out. */
  readonly unifiedHardLimitRatio: number;
  /** The lowest that the adaptive upgrade threshold goes. */
  readonly upgradeBelowRatioMin: number;
  readonly minHeadroomBytes: number;
  readonly dwellMs: number;
  readonly coolDownMs: number;
  readonly foreign: 'observe' | 'evict-idle' | 'evict';
  /** How long a foreign resident is unused before `evict-idle` may take it. */
  readonly foreignIdleMs: number;
}

/** Everything that a decision depends on. */
export interface SelectionInput {
  /** The fallback chain, in order of preference. */
  readonly candidates: readonly Candidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
  /**
   * How far below its limit a pool must end up when the plan steps up from a resident, 0 to 1; from
   * `reduceHysteresis`. Without it stepping up asks for no more than staying.
   */
  readonly upgradeMarginRatio?: number | null;
  /**
   * Whether what was resident has just been unloaded to step down, or was released because memory ran out:
   * the last candidate may then be loaded up to the hard limit, as it may be stepped down to. Default false.
   */
  readonly steppingDown?: boolean;
}
