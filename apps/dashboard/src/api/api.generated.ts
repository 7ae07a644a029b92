// Generated from packages/gateway/openapi.json by tools/generate-api-types.mjs. Do not edit.

/** One model of a fallback chain, as judged now. */
export type ChainStep = {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: 'small' | 'medium' | 'large';
  readonly capabilities: readonly string[];
  readonly downloaded: boolean;
  readonly loaded: boolean;
  /** `fits`: it would fit, and a model that comes before it was chosen. */
  readonly verdict: 'chosen' | 'fits' | 'rejected';
  /** Null for the chosen model. */
  readonly rejection: Rejection | null;
  /** The load that was judged; null without one. */
  readonly loadConfig: LoadConfig | null;
  readonly footprint: Footprint | null;
  /** The trade-offs of this load; null without any. */
  readonly tradeOffs: string | null;
  /** Of this load; null where it is not known. */
  readonly speed: ModelSpeed | null;
  /** Quality of the answers; null: not known. */
  readonly quality: number | null;
};

/** The effect of a change. */
export type Change = {
  readonly action: 'load' | 'unload' | 'pin' | 'unpin' | 'yield' | 'end-yield';
  readonly dryRun: boolean;
  /** The result of the change, or with `dryRun` its expected result. */
  readonly summary: string;
  /** With `dryRun`: false where the memory does not suffice for the load. */
  readonly possible: boolean;
  readonly loads: readonly {
    readonly modelKey: string;
    /** Null before the load. */
    readonly instanceIdentifier: string | null;
    readonly loadConfig: LoadConfig | null;
    readonly footprint: Footprint | null;
  }[];
  readonly unloads: readonly {
    readonly modelKey: string;
    readonly instanceIdentifier: string;
    /** Null where its memory is not known. */
    readonly freesBytes: number | null;
  }[];
  /** Each pool before and after; empty where none changes. */
  readonly pools: readonly PoolChange[];
  readonly warnings: readonly string[];
  /** The pins after the change. */
  readonly pins: readonly Pin[];
  /** The yields after the change. */
  readonly yields: readonly Yield[];
};

/** A decision of the log. */
export type DecisionSummary = {
  /** The value of the header `x-mai-decision`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** When another decision replaced it; null for the last. */
  readonly untilMs: number | null;
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  readonly direction: 'up' | 'down' | null;
  /** The chosen model; null where nothing fits. */
  readonly modelKey: string | null;
  /** Why it was carried out or not, such as `DWELL_OVER` or `STEADY`. */
  readonly reason: string;
  /** Whether the decision was carried out. */
  readonly acted: boolean;
  /** Such as `switched` or `failed`; null without one. */
  readonly outcome: string | null;
  readonly tookMs: number | null;
  /** The decision in a few words. */
  readonly headline: string;
};

export type Decisions = {
  /** Newest first. */
  readonly decisions: readonly DecisionSummary[];
  /** The cursor for older decisions; null at the end. */
  readonly next: string | null;
  /** Lines of the log that are not records. */
  readonly unreadableLines: number;
};

export type EndYieldRequest = {
  /** Null: every yield. */
  readonly name?: string | null;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

export type Error = {
  readonly error: {
    /** A stable code, such as `INVALID_REQUEST` or `MODEL_NOT_FOUND`. */
    readonly code: string;
    /** The failure with its value, and the next step. */
    readonly message: string;
  };
};

/** An event of the machine or of the queue. */
export type Event =
  | {
      readonly type: 'reset';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
    }
  | {
      readonly type: 'sample';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly sample: MemorySample;
    }
  | {
      readonly type: 'decided';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
      readonly modelKey: string | null;
      readonly reason: string;
      readonly acted: boolean;
    }
  | {
      readonly type: 'switch-started';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly reason: string;
    }
  | {
      readonly type: 'switch-step';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      /** Such as `draining`, `unloading`, `loading` or `loaded`. */
      readonly step: string;
      readonly modelKey: string | null;
      readonly instanceIdentifier: string | null;
      readonly progressRatio: number | null;
    }
  | {
      readonly type: 'switch-finished';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly mark: SwitchMark;
    }
  | {
      readonly type: 'journal';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly pins: readonly Pin[];
      readonly yields: readonly Yield[];
    }
  | {
      readonly type: 'queue';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      readonly running: number;
      readonly waiting: number;
      /** The model that is being loaded; null without a load. */
      readonly loading: {
        readonly modelKey: string;
        readonly progressRatio: number;
      } | null;
    }
  | {
      readonly type: 'fleet';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
    }
  | {
      readonly type: 'notice';
      /** Goes into `Last-Event-ID`. */
      readonly id: string;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
      /** Such as `fault`, `recovered`, `emergency` or `stopped`. */
      readonly code: string;
      readonly text: string;
    };

/** A decision in words, with its figures. */
export type Explanation = {
  /** The value of the header `x-mai-decision`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** When another decision replaced it; null for the last. */
  readonly untilMs: number | null;
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  readonly direction: 'up' | 'down' | null;
  /** The chosen model; null where nothing fits. */
  readonly modelKey: string | null;
  /** Why it was carried out or not, such as `DWELL_OVER` or `STEADY`. */
  readonly reason: string;
  /** Whether the decision was carried out. */
  readonly acted: boolean;
  /** Such as `switched` or `failed`; null without one. */
  readonly outcome: string | null;
  readonly tookMs: number | null;
  /** The decision in a few words. */
  readonly headline: string;
  readonly sentences: readonly {
    readonly label: string;
    readonly text: string;
  }[];
  readonly pools: readonly PoolChange[];
  readonly headroomBytes: number | null;
  /** Of the chosen load; null where it is not known. */
  readonly speed: ModelSpeed | null;
  /** Of the answers with the chosen load; null: not known. */
  readonly quality: number | null;
  readonly rejected: readonly {
    readonly modelKey: string;
    readonly rejection: Rejection;
  }[];
  /** Identifiers of the residents that the plan unloads. */
  readonly unloads: readonly string[];
  readonly failures: readonly {
    readonly modelKey: string;
    readonly message: string;
  }[];
};

/** The machines that serve together with this one. */
export type Fleet =
  | {
      readonly state: 'none';
    }
  | {
      readonly state: 'member';
      readonly ownHost: string;
      readonly natsServers: readonly string[];
      /** Whether NATS answered last. */
      readonly connected: boolean;
      /** Why there is no connection to NATS. */
      readonly fault: string | null;
      readonly hostCount: number;
      /** This machine first, then by name, LM Link last. At most 200. */
      readonly hosts: readonly FleetHost[];
      /** Newest first. At most 30. */
      readonly placements: readonly Placement[];
    };

/** A machine of the fleet, as this machine knows it. */
export type FleetHost = {
  readonly host: string;
  /** Whether it is this machine. */
  readonly own: boolean;
  /** `lm-link`: a device of LM Link without Mai. */
  readonly kind: 'mai' | 'lm-link';
  /** `ready`: it gets requests. `serves-nobody`: it has no gateway for other hosts. `silent`: no new heartbeat has come for too long. `not-heard`: no heartbeat has come yet, and only its stored state is known. `displaced`: this machine, while another one serves under its name with a copy of its keys. */
  readonly condition:
    'ready' | 'serves-nobody' | 'stopping' | 'silent' | 'not-heard' | 'without-mai' | 'displaced';
  /** Since something new was heard from it, by this machine's monotonic clock; null where nothing was. */
  readonly silentMs: number | null;
  readonly address: string | null;
  readonly versions: {
    readonly mai: string | null;
    readonly runtime: string | null;
    readonly runtimeVersion: string | null;
  };
  readonly labels: readonly {
    readonly name: string;
    readonly value: string;
  }[];
  /** Null where the host did not report it. */
  readonly load: {
    /** Requests that are answered now. */
    readonly running: number;
    readonly waiting: number;
    /** Use of the fullest pool as a share of its limit. */
    readonly pressureRatio: number | null;
  } | null;
  readonly pools: readonly {
    readonly pool: PoolName;
    readonly label: string;
    readonly totalBytes: number;
    readonly limitBytes: number;
  }[];
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly modelKey: string;
    readonly contextLengthTokens: number | null;
    /** Expected memory in all pools. */
    readonly footprintBytes: number | null;
    /** Whether somebody other than Mai loaded it. */
    readonly foreign: boolean;
    /** Requests that it answers at the same time. */
    readonly parallel: number;
    /** Requests that run or wait at it; null where the host does not report its load. */
    readonly requests: number | null;
    readonly speed: ModelSpeed | null;
    /** Quality of the answers; null: not known. */
    readonly quality: number | null;
  }[];
  /** Models that are not loaded and fit. At most 40. */
  readonly fits: readonly {
    readonly modelKey: string;
    readonly tier: 'small' | 'medium' | 'large';
    /** Size on disk. */
    readonly sizeBytes: number | null;
    /** `after-eviction`: once idle models that Mai loaded are unloaded. */
    readonly fit: 'now' | 'after-eviction';
    readonly speed: ModelSpeed | null;
    /** Quality of the answers; null: not known. */
    readonly quality: number | null;
  }[];
  /** Its models, whether they fit or not. */
  readonly modelCount: number;
  /** Share of each pool's limit that models for other hosts may take; null where they may load nothing now. */
  readonly guestRatio: number | null;
};

/** The memory that a model takes when it is loaded. */
export type Footprint = {
  readonly totalBytes: number;
  /** Lower end of the estimate; null where it is not known. */
  readonly lowBytes: number | null;
  /** Upper end of the estimate; null where it is not known. */
  readonly highBytes: number | null;
  /** Memory-mapped weights in RAM. */
  readonly mappedBytes: number;
  /** All other memory in RAM. */
  readonly anonymousBytes: number;
  readonly gpus: readonly {
    readonly deviceKey: string;
    readonly bytes: number;
  }[];
  /** The most that the model may grow by after its load; null where it is not known. The settings of the engine bound it, and not the memory of the machine, so it may be larger than that. The pools hold only the part that the policy for growth charges. */
  readonly growthBytes: number | null;
  readonly source:
    'measured' | 'lmstudio' | 'gguf-header' | 'safetensors-header' | 'file-size' | 'configured';
  readonly confidence: 'high' | 'medium' | 'low';
};

/** The memory of a load on one device, by part. */
export type FootprintParts = {
  /** `ram`, or `gpu` and its number. */
  readonly device: string;
  readonly weightsBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  readonly visionBytes: number;
  /** Draft tokens, repacked copies and the engine itself. */
  readonly otherBytes: number;
  readonly totalBytes: number;
};

/** Memory over time, as the gateway has observed it. */
export type History = {
  readonly pools: readonly {
    readonly pool: PoolName;
    readonly label: string;
    readonly totalBytes: number;
    readonly limitBytes: number;
    readonly hardLimitBytes: number;
  }[];
  /** Oldest first, at most 15 minutes. */
  readonly samples: readonly MemorySample[];
  /** Oldest first. */
  readonly switches: readonly SwitchMark[];
};

/** The settings of a load. Null leaves a setting to the runtime. */
export type LoadConfig = {
  readonly contextLengthTokens: number | null;
  readonly parallelSequences: number | null;
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK:
    'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl' | null;
  readonly kvCacheTypeV:
    'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl' | null;
  readonly flashAttention: boolean | null;
  readonly cpuExpertRatio: number | null;
};

export type LoadRequest = {
  /** A model key. */
  readonly model: string;
  /** Instance identifier. Default: `mai/` and the model key. */
  readonly identifier?: string;
  readonly contextLengthTokens?: number;
  /** Type of keys and values. */
  readonly kvCacheType?:
    'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl';
  readonly parallelSequences?: number;
  /** Idle time until it is unloaded. Default: never. */
  readonly ttlMs?: number;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

/** The use of each pool at one moment. */
export type MemorySample = {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly pools: readonly {
    readonly pool: PoolName;
    /** Use by all programs except the residents, with what yields keep free. */
    readonly othersBytes: number;
    /** The part of `othersBytes` that yields keep free for other programs, which do not use it yet. */
    readonly yieldedBytes: number;
    readonly residents: readonly {
      readonly instanceIdentifier: string;
      readonly bytes: number;
    }[];
    readonly freeBytes: number;
  }[];
};

/** A downloaded or configured model. */
export type Model = {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: 'small' | 'medium' | 'large';
  readonly capabilities: readonly (
    'chat' | 'reasoning' | 'analysis' | 'coding' | 'tools' | 'vision' | 'embedding'
  )[];
  readonly downloaded: boolean;
  readonly loaded: boolean;
  /** Size on disk. */
  readonly sizeBytes: number | null;
  /** Context length of a load as configured. */
  readonly contextLengthTokens: number;
  readonly maxContextLengthTokens: number | null;
  readonly loadConfig: LoadConfig;
  /** Memory as configured; null where it is not known. */
  readonly footprint: Footprint | null;
  /** Whether it fits as configured, as the only model that Mai loads. */
  readonly fits: boolean;
  /** Why it does not fit; null where it fits. */
  readonly rejection: Rejection | null;
  readonly cheaper: {
    readonly loadConfig: LoadConfig;
    readonly footprint: Footprint;
    /** The trade-offs in words, as a phrase that follows "fits with". */
    readonly tradeOffs: string;
  } | null;
  /** Of the load as configured, or of `cheaper` where only that fits. */
  readonly speed: ModelSpeed | null;
  /** Quality of the answers; null: not known. */
  readonly quality: number | null;
};

/** Expected speeds of a model. */
export type ModelSpeed = {
  /** Generated tokens per second. */
  readonly tokensPerSecond: number;
  /** Until the first token of a prompt of 2000 tokens. */
  readonly firstTokenMs: number;
  /** Time of a load; null where it is not known. */
  readonly loadMs: number | null;
  /** Whether a speed of this model was measured on that host. It says nothing about loadMs. */
  readonly measured: boolean;
};

export type Models = {
  readonly chain: {
    readonly name: string;
    /** The names of all chains. */
    readonly names: readonly string[];
    /** The decision if it were made now. */
    readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
    /** In order of preference. */
    readonly steps: readonly ChainStep[];
    readonly pools: readonly PoolChange[];
    /** The next step where no model was chosen. */
    readonly obstacle: string | null;
    /** Why no model was chosen, such as `nothing-downloaded`; null where one was. */
    readonly obstacleKind: string | null;
  };
  readonly models: readonly Model[];
  readonly downloadedCount: number;
  /** Downloaded files that cannot be loaded. */
  readonly unusable: readonly {
    readonly modelKey: string;
    readonly reason: string;
  }[];
};

/** Keeps a model from being unloaded. */
export type Pin = {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** `load`: set by a load by hand. */
  readonly reason: 'pin' | 'load';
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
};

export type PinRequest = {
  /** A model key or an instance identifier. */
  readonly target: string;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

/** A request of this gateway, and the host that was chosen for it. */
export type Placement = {
  /** The value of the header `x-mai-placement`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The host that serves it; null where none does. */
  readonly host: string | null;
  readonly modelKey: string | null;
  /** Why there, with figures: sentences, and the list that a sentence introduces. */
  readonly sentences: readonly {
    readonly text: string;
    readonly items: readonly string[];
  }[];
};

/** A pool of memory and its use now. */
export type Pool = {
  readonly pool: PoolName;
  /** Name for display, such as `RAM` or `VRAM 2`. */
  readonly label: string;
  readonly totalBytes: number;
  /** False: the use by other programs is not known. `othersBytes` is then 0, and the figures count the models only. */
  readonly measured: boolean;
  /** Use by all programs except the residents, with what yields keep free. */
  readonly othersBytes: number;
  /** The part of `othersBytes` that yields keep free for other programs, which do not use it yet. */
  readonly yieldedBytes: number;
  /** Use by others and by all residents, with memory held for growth. */
  readonly useBytes: number;
  /** The part of `useBytes` that is held for growth and not in use yet. */
  readonly growthBytes: number;
  /** `totalBytes - useBytes`; may be negative. */
  readonly freeBytes: number;
  /** The most that may be in use after a load. */
  readonly limitBytes: number;
  /** Above this, memory is about to run out. */
  readonly hardLimitBytes: number;
  /** The bytes that each resident takes of this pool. */
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly bytes: number;
  }[];
  readonly trend: {
    readonly direction: 'rising' | 'falling' | 'steady' | 'unknown';
    readonly timeToLimitMs: number | null;
  } | null;
};

export type PoolBytes = {
  readonly pool: PoolName;
  readonly bytes: number;
};

/** A pool of memory before and after a change. */
export type PoolChange = {
  readonly pool: PoolName;
  readonly label: string;
  readonly totalBytes: number;
  /** False: the use by other programs is not known. `othersBytes` is then 0, and the figures count the models only. */
  readonly measured: boolean;
  /** Use by all programs except the residents, with what yields keep free. */
  readonly othersBytes: number;
  /** The part of `othersBytes` that yields keep free for other programs, which do not use it yet. */
  readonly yieldedBytes: number;
  readonly useBeforeBytes: number;
  readonly useAfterBytes: number;
  readonly limitBytes: number;
  readonly hardLimitBytes: number;
  /** `totalBytes - useAfterBytes`; may be negative. */
  readonly headroomBytes: number;
};

/** A body of memory: `ram`, the memory of a GPU (`gpu:KEY`), or the RAM that a GPU may take (`gpu-share:KEY`). */
export type PoolName = string;

/** The queue of requests, and the throughput. */
export type Queue = {
  /** The residents in use. */
  readonly lanes: readonly {
    readonly modelKey: string;
    readonly instanceIdentifier: string;
    readonly running: number;
    /** Whether it takes no new requests, because it will be unloaded. */
    readonly draining: boolean;
  }[];
  readonly waiting: number;
  /** Milliseconds. */
  readonly oldestWaitMs: number;
  /** The model that is being loaded; null without a load. */
  readonly loading: {
    readonly modelKey: string;
    readonly progressRatio: number;
  } | null;
  /** The requests that ended in the last 60 seconds. */
  readonly lastMinute: {
    readonly requests: number;
    readonly failures: number;
    /** Tokens of the answers that count them; null where none of them does. */
    readonly promptTokens: number | null;
    /** Tokens of the answers that count them; null where none of them does. */
    readonly outputTokens: number | null;
    readonly medianFirstByteMs: number | null;
  };
};

/** Why a model was not chosen. */
export type Rejection = {
  /** Such as `INSUFFICIENT_RAM` or `NOT_DOWNLOADED`. */
  readonly code: string;
  /** The reason with its figures. The phrase follows the model key. */
  readonly text: string;
};

/** A loaded copy of a model. */
export type Resident = {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly contextLengthTokens: number | null;
  readonly loadConfig: LoadConfig;
  /** Size on disk. */
  readonly sizeBytes: number;
  /** Expected memory; null where it is not known. */
  readonly footprint: Footprint | null;
  /** Anonymous RAM of its engine as measured; null where it was not measured. */
  readonly measuredRamBytes: number | null;
  /** The bytes that it takes of each pool. */
  readonly pools: readonly PoolBytes[];
  readonly busy: boolean;
  readonly queued: number | null;
  /** Whether somebody other than Mai loaded it. */
  readonly foreign: boolean;
  readonly pinned: boolean;
  readonly leased: boolean;
  readonly lastUsedAtMs: number | null;
  readonly ttlMs: number | null;
  /** Whether it needs more than a GPU has, so that its shares in pools are a guess. */
  readonly exceedsGpus: boolean;
};

/** Who the caller is. */
export type Session = {
  /** Whether requests need a key or a session. */
  readonly required: boolean;
  readonly signedIn: boolean;
  /** The actions that the caller is allowed. */
  readonly scopes: readonly ('inference' | 'control' | 'read')[];
  /** Goes into `x-mai-csrf` of changing requests; null without a session. */
  readonly csrfToken: string | null;
  readonly expiresAtMs: number | null;
};

export type SignInRequest = {
  /** An API key. */
  readonly key: string;
};

/** One reading of the machine, the runtime and the residents. */
export type Status = {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly gateway: {
    /** Milliseconds since the epoch. */
    readonly startedAtMs: number;
  };
  readonly runtime:
    | {
        /** What loads the models. */
        readonly name: 'lmstudio' | 'embedded';
        readonly state: 'running';
        /** Null for the embedded engine. */
        readonly baseUrl: string | null;
        readonly version: string;
        /** Whether it runs on this machine. */
        readonly isLocal: boolean;
      }
    | {
        /** What loads the models. */
        readonly name: 'lmstudio' | 'embedded';
        /** `failing`: it runs, but does not list the loaded models. */
        readonly state: 'off' | 'failing';
        readonly message: string;
      };
  /** Null where no autopilot runs. */
  readonly autopilot: {
    readonly status: 'stopped' | 'running' | 'switching' | 'stopping';
    /** The error of the last round; null without one. */
    readonly fault: string | null;
    readonly putOffUntilMs: number | null;
    /** After many failures, no load is tried before this moment. */
    readonly breakerOpenUntilMs: number | null;
    readonly idle: boolean;
    /** How many callers wait for a lease. */
    readonly waiting: number;
    readonly leased: readonly string[];
  } | null;
  readonly pools: readonly Pool[];
  readonly residents: readonly Resident[];
  /** Residents on other machines of LM Link. */
  readonly elsewhere: readonly {
    readonly instanceIdentifier: string;
    readonly modelKey: string;
  }[];
  readonly cpu: {
    readonly utilizationRatio: number | null;
    readonly othersRatio: number | null;
  };
  readonly gpus: readonly {
    readonly deviceKey: string;
    readonly name: string | null;
    readonly vendor: string | null;
    readonly memory: 'dedicated' | 'shared';
    readonly totalBytes: number | null;
    readonly availableBytes: number | null;
  }[];
  /** False: the runtime is on another machine. */
  readonly observable: boolean;
  readonly pins: readonly Pin[];
  readonly yields: readonly Yield[];
  readonly config: {
    readonly source: string;
    readonly file: string | null;
  };
};

/** A switch, for the time axis. */
export type SwitchMark = {
  /** When the switch ended. */
  readonly atMs: number;
  /** Milliseconds. */
  readonly tookMs: number;
  /** Such as `DWELL_OVER`, `REQUESTED` or `YIELD`. */
  readonly reason: string;
  readonly outcome: string;
  readonly loaded: readonly string[];
  readonly unloaded: readonly string[];
  /** The switch in a few words. */
  readonly text: string;
};

export type UnloadRequest = {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** Every instance of the model. */
  readonly all?: boolean;
  /** Also instances that generate or are leased. */
  readonly force?: boolean;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

export type UnpinRequest = {
  /** Null: the only pin. */
  readonly target?: string | null;
  readonly all?: boolean;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

/** Whether a model would fit with these settings, and what it would take. */
export type WhatIf = {
  readonly modelKey: string;
  readonly settings: {
    readonly contextLengthTokens: number;
    readonly kvCacheTypeK:
      'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl' | null;
    readonly kvCacheTypeV:
      'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl' | null;
    readonly flashAttention: boolean | null;
    readonly parallelSequences: number | null;
  };
  readonly maxContextLengthTokens: number | null;
  /** Null where it cannot be judged on this machine. */
  readonly fits: boolean | null;
  readonly rejection: Rejection | null;
  /** The footprint that was judged. */
  readonly footprint: Footprint | null;
  /** The footprint by measured loads on this machine; null without one. */
  readonly corrected: Footprint | null;
  readonly parts: readonly FootprintParts[];
  readonly totalBytes: number;
  readonly lowBytes: number | null;
  readonly highBytes: number | null;
  /** The source of the estimate: `header`, `mlx` or `size`. */
  readonly basis: string;
  /** Each pool before and after the load. */
  readonly pools: readonly PoolChange[];
  /** A load with trade-offs that fits; null where this one fits, or none does. */
  readonly cheaper: {
    readonly loadConfig: LoadConfig;
    readonly footprint: Footprint;
    readonly tradeOffs: string;
  } | null;
  /** The total at other context lengths, shortest first. */
  readonly byContextLength: readonly {
    readonly contextLengthTokens: number;
    readonly totalBytes: number;
  }[];
  /** LM Studio's own estimate; null without one. */
  readonly lmStudioBytes: number | null;
};

/** Memory that is kept free for another program. */
export type Yield = {
  readonly name: string;
  readonly bytes: number;
  readonly pools: 'ram' | 'gpu' | 'all';
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Null: until the yield is ended. */
  readonly untilMs: number | null;
  /** The yield ends when this process ends. */
  readonly processId: number | null;
};

export type YieldRequest = {
  readonly bytes: number;
  readonly pools?: 'ram' | 'gpu' | 'all';
  /** Replaces the yield of the same name. */
  readonly name?: string | null;
  /** Null: until the yield is ended. */
  readonly untilMs?: number | null;
  /** Tells what would happen, and changes nothing. `?dryRun=1` does the same. */
  readonly dryRun?: boolean;
};

/** Method and path of each operation. */
export const ROUTES = {
  status: { method: 'GET', path: '/api/mai/status' },
  models: { method: 'GET', path: '/api/mai/models' },
  whatIf: { method: 'GET', path: '/api/mai/what-if' },
  decisions: { method: 'GET', path: '/api/mai/decisions' },
  decision: { method: 'GET', path: '/api/mai/decisions/{id}' },
  explain: { method: 'GET', path: '/api/mai/explain' },
  events: { method: 'GET', path: '/api/mai/events' },
  history: { method: 'GET', path: '/api/mai/history' },
  fleet: { method: 'GET', path: '/api/mai/fleet' },
  queue: { method: 'GET', path: '/api/mai/queue' },
  load: { method: 'POST', path: '/api/mai/load' },
  unload: { method: 'POST', path: '/api/mai/unload' },
  pin: { method: 'POST', path: '/api/mai/pin' },
  unpin: { method: 'POST', path: '/api/mai/unpin' },
  yield: { method: 'POST', path: '/api/mai/yield' },
  endYield: { method: 'POST', path: '/api/mai/yield/end' },
  session: { method: 'GET', path: '/api/mai/session' },
  signIn: { method: 'POST', path: '/api/mai/session' },
  signOut: { method: 'DELETE', path: '/api/mai/session' },
} as const;

/** The body of each operation's answer; with `events`, the data of one event. */
export interface Answers {
  readonly status: Status;
  readonly models: Models;
  readonly whatIf: WhatIf;
  readonly decisions: Decisions;
  readonly decision: Explanation;
  readonly explain: Explanation;
  readonly events: Event;
  readonly history: History;
  readonly fleet: Fleet;
  readonly queue: Queue;
  readonly load: Change;
  readonly unload: Change;
  readonly pin: Change;
  readonly unpin: Change;
  readonly yield: Change;
  readonly endYield: Change;
  readonly session: Session;
  readonly signIn: Session;
  readonly signOut: Session;
}
