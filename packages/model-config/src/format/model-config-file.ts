import type {
  Capability,
  ForeignPolicy,
  GrowthPolicy,
  SelectionGoal,
  KvCacheType,
  Tier,
} from '@mai/memory-ledger';
import type { QualityUse } from '../quality/model-facts.js';
import type { RuntimeName } from './runtimes.js';

// The comments of the fields are written by scripts/generate.mjs, from the help texts in file-schema.ts.

/** How a model is loaded, in the format of the file. */
export interface LoadSection {
  /** Layers on the GPU: max, off, or a share of the layers from 0 to 1. Default: LM Studio's. */
  readonly gpu_offload?: 'max' | 'off' | number | undefined;
  /** true or false. A quantized V cache needs flash attention. Default: LM Studio's. */
  readonly flash_attention?: boolean | undefined;
  /**
   * Number type of the KV cache: one type for keys and values, or { k: f16, v: q8_0 }. Types: f32,
   * f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl. Default: LM Studio's.
   */
  readonly kv_cache?:
    KvCacheType | { readonly k: KvCacheType; readonly v: KvCacheType } | undefined;
  /**
   * Expert layers of a mixture-of-experts model that stay on the CPU: max, off, or a share of the
   * layers from 0 to 1. Default: LM Studio's.
   */
  readonly cpu_experts?: 'max' | 'off' | number | undefined;
  /**
   * Requests that are answered at the same time, 1 to 256. Each one has its own part of the KV
   * cache. Default: LM Studio's.
   */
  readonly parallel?: number | undefined;
  /**
   * LM Studio unloads the model after this time without a request, such as 10m. It takes effect
   * only with idle: release under switching. Default: not set.
   */
  readonly ttl?: string | undefined;
}

/** A cheaper way to run a model in `mai simulate`, in the format of the file. */
export interface SimulateRungSection {
  /** All memory that the model takes when it runs this way. */
  readonly footprint: string;
  /** The part of footprint that is VRAM. Default: the vram of the model. */
  readonly vram?: string | undefined;
  /** How good the answers are when the model runs this way, 0 to 1. */
  readonly quality: number;
}

/** Cost and quality of a model in `mai simulate`, in the format of the file. */
export interface SimulateSection {
  /** All memory that the model takes, such as 7.2GiB. Default: the estimate. */
  readonly footprint?: string | undefined;
  /** The part of footprint that is VRAM on a machine with a GPU. Default: the estimate. */
  readonly vram?: string | undefined;
  /** Seconds that a load takes. Default: the time to read footprint at 1 GB a second. */
  readonly load_seconds?: number | undefined;
  /** How good the answers are, 0 to 1. Default: 0.4, 0.65 or 0.9 by category. */
  readonly quality?: number | undefined;
  /**
   * Cheaper ways to run the same model (shorter context, quantized KV cache), the best first: {
   * footprint, vram, quality }. Default: none.
   */
  readonly rungs?: readonly SimulateRungSection[] | undefined;
}

/** One model, in the format of the file. Only the key is required. */
export interface ModelSection {
  /** The model key as LM Studio lists it (lms ls). key@variant names one quantization. */
  readonly key: string;
  /** The name that people see. Default: LM Studio's name. */
  readonly display_name?: string | undefined;
  /** The purpose of the model, in one line. */
  readonly description?: string | undefined;
  /** How large the model is: small, medium or large. Default: derived from the size of its file. */
  readonly category?: Tier | undefined;
  /**
   * GiB that the model takes without a GPU, at context_window. 0 means that it needs no memory.
   * Default: unknown.
   */
  readonly min_memory_gb?: number | undefined;
  /**
   * GiB of min_memory_gb that move to VRAM when all layers are on the GPU. The rest stays in RAM.
   * 0 means that the model needs no VRAM. Default: unknown.
   */
  readonly min_vram_gb?: number | undefined;
  /**
   * Tokens of context to load the model with. Default: 8192, or the model's maximum where that is
   * less, or 4096 where its maximum is unknown.
   */
  readonly context_window?: number | undefined;
  /** Tokens of the longest answer, at most context_window. Default: no limit. */
  readonly max_output_tokens?: number | undefined;
  /**
   * Capabilities of the model: chat, reasoning, analysis, coding, tools, vision, embedding.
   * Default: derived from the runtime's facts, the file's chat template and the model's name.
   */
  readonly capabilities?: readonly Capability[] | undefined;
  /**
   * How good the answers of this file are, 0 to 1: one number for every use, or one for each use,
   * such as { coding: 0.8, chat: 0.6 }. Uses: general, chat, coding, reasoning, tools, vision.
   * Default: from published results, or derived from size, age and family.
   */
  readonly quality?: number | Readonly<Partial<Record<QualityUse, number | undefined>>> | undefined;
  /** How to load the model. LM Studio decides about fields that are not set. */
  readonly load?: LoadSection | undefined;
  /** Cost and quality of the model, for mai simulate. */
  readonly simulate?: SimulateSection | undefined;
}

/** When to switch, in the format of the file: percentages from 0 to 100, durations and sizes as text. */
export interface SwitchingSection {
  /** The limit for the use of RAM, or of unified memory. Default: 80. */
  readonly memory_percent?: number | undefined;
  /** The limit for the use of each GPU's own memory. Default: 90. */
  readonly vram_percent?: number | undefined;
  /**
   * While other programs use more of the CPU than this, no larger model is loaded. LM Studio's own
   * work does not count. Default: 80.
   */
  readonly cpu_percent?: number | undefined;
  /**
   * A larger model is loaded only if memory use stays below a threshold. The threshold is at most
   * memory_percent - 2. Mai lowers it while memory use swings, but never below this value.
   * Default: 65.
   */
  readonly upgrade_below_percent_min?: number | undefined;
  /**
   * Above this share of RAM or VRAM, memory is about to run out. Running requests then get 30
   * seconds to finish before their model is unloaded, or 1 second if memory has already run out.
   * Must be above memory_percent and vram_percent. Default: 92.
   */
  readonly hard_limit_percent?: number | undefined;
  /**
   * The hard limit of unified memory. It is lower, because the GPU's part cannot be swapped out.
   * Must be above memory_percent. Default: 85.
   */
  readonly unified_hard_limit_percent?: number | undefined;
  /** How long the reason for a switch must last before Mai switches. Default: 20s. */
  readonly dwell?: string | undefined;
  /**
   * How long Mai waits after a switch before the next switch. Only memory pressure ends the wait
   * early. Default: 1m.
   */
  readonly cool_down?: string | undefined;
  /** Memory that must stay free in every pool (RAM, each GPU) that a load uses. Default: 1GiB. */
  readonly min_headroom?: string | undefined;
  /**
   * keep: the chosen model stays loaded while nobody uses it. release: LM Studio may unload it
   * after its load.ttl. Default: keep.
   */
  readonly idle?: 'keep' | 'release' | undefined;
  /**
   * How long a switch waits for running requests. After that the switch is postponed, unless
   * memory is about to run out (hard_limit_percent). Default: 1m.
   */
  readonly drain_deadline?: string | undefined;
  /**
   * How Mai treats models that it did not load. observe: it leaves them loaded. evict-idle: it
   * unloads them after foreign_idle. evict: it unloads them whenever they are idle. Default:
   * observe.
   */
  readonly foreign?: ForeignPolicy | undefined;
  /**
   * With foreign: evict-idle, how long a model must be unused before Mai unloads it. Default: 10m.
   */
  readonly foreign_idle?: string | undefined;
  /**
   * A model may take more memory after its load, such as for prompts that LM Studio keeps. How
   * much of this memory is kept free? charge: all of it. reserve-share: a quarter. ignore:
   * nothing. Growth that has already happened always counts. Default: ignore.
   */
  readonly growth?: GrowthPolicy | undefined;
  /**
   * How much speed counts beside quality while a model is slower than min_tokens_per_second.
   * quality: not at all. balanced: less than quality. speed: as much as quality. Default:
   * balanced.
   */
  readonly goal?: SelectionGoal | undefined;
  /**
   * The tokens per second that a model should generate. Slower models are passed over where
   * another one fits, and in a chain that you wrote only after their speed was measured. 0: a slow
   * model is never passed over. Default: 6.
   */
  readonly min_tokens_per_second?: number | undefined;
}

/** Settings of the gateway, in the format of the file. */
export interface GatewaySection {
  readonly aliases?: Readonly<Record<string, string>> | undefined;
}

/** What other hosts of a fleet may take of this machine, in the format of the file. */
export interface GuestsSection {
  /**
   * The share of each pool's limit that models may take which other hosts have asked for. 0: other
   * hosts use only models that are loaded already. Default: 100.
   */
  readonly memory_percent?: number | undefined;
  /**
   * When other hosts may load models here, such as 22:00-07:00, by the clock of this machine.
   * Default: always.
   */
  readonly hours?: string | undefined;
}

/** What the other machines of a fleet may use here, and which of them may answer requests of this machine, in the format of the file. */
export interface FleetSection {
  /** Labels that the other hosts see, such as { site: attic }. Default: no labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /**
   * Names of the chains whose requests other hosts may answer. Requests for a model by its name
   * may leave where no list is given. [] keeps every request here. Default: all chains.
   */
  readonly chains?: readonly string[] | undefined;
  /** Labels that a host must have to answer requests of this machine. Default: no condition. */
  readonly require?: Readonly<Record<string, string>> | undefined;
  /** What other hosts may take of this machine. */
  readonly guests?: GuestsSection | undefined;
}

/** The content of a `models.yaml`, which is also the argument of `defineModelConfig`. */
export interface ModelConfigFile {
  /** The version of the file format: 1. */
  readonly version: 1;
  /**
   * The models that Mai may choose from. Default: the built-in models. The built-in chains then
   * apply, too, except those that fallback_chains defines.
   */
  readonly models?: readonly ModelSection[] | undefined;
  /**
   * Lists of model keys in order of preference. Each list has a name. A list that you write keeps
   * its order. The built-in lists, and lists that are equal to them, are ordered by value on this
   * machine: by quality, and by speed where it is below switching.min_tokens_per_second.
   * chain:NAME inserts another chain. downloaded:CAPABILITY inserts every downloaded model with
   * that capability that the chain does not name, ordered by value on this machine.
   * downloaded:CAPABILITY:CATEGORY inserts only those of one category.
   */
  readonly fallback_chains?: Readonly<Record<string, readonly string[]>> | undefined;
  /** When to switch to another model. */
  readonly switching?: SwitchingSection | undefined;
  /** Which models may be chosen while certain processes run. */
  readonly rules?:
    | readonly {
        readonly when: { readonly process: string };
        readonly then: { readonly tier: Tier };
      }[]
    | undefined;
  /** Model keys that are never evicted. */
  readonly pins?: readonly string[] | undefined;
  /**
   * Folders with GGUF files, for the embedded engine. It also finds the models of LM Studio,
   * Ollama, the Hugging Face cache, llama.cpp, Jan and GPT4All. ~ stands for the home folder.
   * Default: no folders.
   */
  readonly model_folders?: readonly string[] | undefined;
  /** Settings of the gateway (mai serve). */
  readonly gateway?: GatewaySection | undefined;
  /**
   * What the other machines of a fleet may use here, and which of them may answer requests of this
   * machine (mai serve --fleet).
   */
  readonly fleet?: FleetSection | undefined;
  /**
   * What loads the models: lmstudio, or embedded for llama.cpp in processes of Mai. Default: LM
   * Studio where it runs, or else embedded.
   */
  readonly runtime?: RuntimeName | undefined;
}
