import type { Capability, KvCacheType, Tier } from '../model-config.js';

/** How a model is loaded, as the file writes it. */
export interface LoadSection {
  /** Layers on the GPU: all, none, or a share from 0 to 1. Default: LM Studio's. */
  readonly gpu_offload?: 'max' | 'off' | number | undefined;
  /** Default: LM Studio's. */
  readonly flash_attention?: boolean | undefined;
  /** One type for both halves, or one each. Default: LM Studio's. */
  readonly kv_cache?:
    KvCacheType | { readonly k: KvCacheType; readonly v: KvCacheType } | undefined;
  /** Experts kept on the CPU: all, none, or a share of the layers from 0 to 1. Default: LM Studio's. */
  readonly cpu_experts?: 'max' | 'off' | number | undefined;
  /** Requests answered at once; each multiplies the KV cache. Default: LM Studio's. */
  readonly parallel?: number | undefined;
  /** Duration without a request after which LM Studio unloads the model. Default: not set. */
  readonly ttl?: string | undefined;
}

/** What a model costs and is worth in `mai simulate`. */
export interface SimulateSection {
  /** Size, such as `7.2GiB`: all of the memory that the model takes. */
  readonly footprint?: string | undefined;
  /** Size: the part of it that is VRAM where there is a GPU. */
  readonly vram?: string | undefined;
  readonly load_seconds?: number | undefined;
  /** 0 to 1. */
  readonly quality?: number | undefined;
  /** Cheaper ways to run the same model, best first. */
  readonly rungs?:
    | readonly {
        readonly footprint: string;
        readonly vram?: string | undefined;
        readonly quality: number;
      }[]
    | undefined;
}

/** One model, as the file writes it. Only the key is required. */
export interface ModelSection {
  /** As LM Studio lists it; `key@variant` names one quantization. */
  readonly key: string;
  readonly display_name?: string | undefined;
  readonly description?: string | undefined;
  /** Default: derived from the size. */
  readonly category?: Tier | undefined;
  /** GiB that the model takes with no GPU. */
  readonly min_memory_gb?: number | undefined;
  /** GiB of VRAM with all layers on the GPU. */
  readonly min_vram_gb?: number | undefined;
  /** Tokens of context to load with. Default: 8192, or less where the model allows less. */
  readonly context_window?: number | undefined;
  readonly max_output_tokens?: number | undefined;
  /** Default: derived from what LM Studio says about the model. */
  readonly capabilities?: readonly Capability[] | undefined;
  readonly load?: LoadSection | undefined;
  readonly simulate?: SimulateSection | undefined;
}

/** When to switch, as the file writes it. Percentages are 0 to 100, durations are texts such as `20s`. */
export interface SwitchingSection {
  /** Of RAM, or of a unified pool. Default 80. */
  readonly memory_percent?: number | undefined;
  /** Default 90. */
  readonly vram_percent?: number | undefined;
  /** Default 80. */
  readonly cpu_percent?: number | undefined;
  /** Default 65. */
  readonly upgrade_below_percent_min?: number | undefined;
  /** Default 92. */
  readonly hard_limit_percent?: number | undefined;
  /** Default 85. */
  readonly unified_hard_limit_percent?: number | undefined;
  /** Default 20s. */
  readonly dwell?: string | undefined;
  /** Default 60s. */
  readonly cool_down?: string | undefined;
  /** Default 1GiB. */
  readonly min_headroom?: string | undefined;
  /** Default keep. */
  readonly idle?: 'keep' | 'release' | undefined;
  /** Default 60s. */
  readonly drain_deadline?: string | undefined;
  /** Default observe. */
  readonly foreign?: 'observe' | 'evict-idle' | 'evict' | undefined;
  /** Default 10m. */
  readonly foreign_idle?: string | undefined;
}

/** The whole file. What `defineModelConfig` takes and `models.yaml` holds. */
export interface ModelConfigFile {
  readonly version: 1;
  readonly models: readonly ModelSection[];
  /** Model keys in order of preference; `chain:NAME` and `downloaded:CAPABILITY[:CATEGORY]` insert others. */
  readonly fallback_chains?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly switching?: SwitchingSection | undefined;
  readonly rules?:
    | readonly {
        readonly when: { readonly process: string };
        readonly then: { readonly tier: Tier };
      }[]
    | undefined;
  /** Model keys that are never evicted. */
  readonly pins?: readonly string[] | undefined;
}
