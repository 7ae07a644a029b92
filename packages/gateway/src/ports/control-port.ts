import type {
  Capability,
  Footprint,
  GrowthPolicy,
  LoadConfig,
  LoadSpeed,
  PoolName,
  Resources,
  Tier,
} from '@mai/memory-ledger';
import type {
  DecisionEpisode,
  MachineEvent,
  MachineSelection,
  MemoryYield,
  ObservedModel,
  Pin,
  PoolOutcome,
  Rejection,
  TradeOff,
} from './control-facts.js';
import type { CheaperLoad, EstimateAnswer, EstimateRequest } from './control-estimates.js';
import type { CallOptions } from './serving-port.js';

/** Options of a change. */
export interface ChangeOptions extends CallOptions {
  /** Checks the request and changes nothing. */
  readonly dryRun?: boolean;
}

/**
 * The part of a machine that the page and operators read and change. `Host` of `@mai/host` satisfies this port. Its errors have a
 * `code` and a message that says what to do next.
 */
export interface ControlPort {
  /** Reads the machine, the runtime and the residents. An unreachable runtime is reported as off. */
  status(options?: CallOptions): Promise<MachineStatus>;
  /** The machine's totals and what is free now. Does not ask the runtime. */
  resources(options?: CallOptions): Promise<Resources>;
  models(query?: { readonly all?: boolean }, options?: CallOptions): Promise<MachineModels>;
  /** Decides which model of a chain is best now. Loads and unloads nothing. */
  select(
    request?: { readonly chain?: string | null },
    options?: CallOptions,
  ): Promise<SelectionAnswer>;
  estimate(request: EstimateRequest, options?: CallOptions): Promise<EstimateAnswer>;
  /** The state of the running autopilot; null where no autopilot runs. */
  autopilotState(options?: CallOptions): Promise<AutopilotFacts | null>;
  /** The events of the running autopilot from now on; null where no autopilot runs. */
  events(options?: CallOptions): Promise<AsyncIterable<MachineEvent> | null>;
  /** Decisions of the log, oldest first. */
  decisions(
    query?: { readonly count?: number; readonly untilMs?: number; readonly id?: string },
    options?: CallOptions,
  ): Promise<{
    readonly episodes: readonly DecisionEpisode[];
    readonly unreadable: readonly unknown[];
  }>;
  journal(options?: CallOptions): Promise<JournalFacts>;
  config(): Promise<{
    readonly config: {
      readonly fallbackChains: Readonly<Record<string, unknown>>;
      readonly switching: { readonly growth: GrowthPolicy };
    };
  }>;

  load(request: LoadRequest, options?: CallOptions): Promise<LoadAnswer>;
  unload(
    request: { readonly target: string; readonly all?: boolean; readonly force?: boolean },
    options?: ChangeOptions,
  ): Promise<{ readonly unloaded: readonly LoadedInstance[] }>;
  pin(target: string, options?: ChangeOptions): Promise<{ readonly journal: JournalFacts }>;
  unpin(
    request?: { readonly target?: string | null; readonly all?: boolean },
    options?: ChangeOptions,
  ): Promise<{ readonly journal: JournalFacts; readonly unpinned: readonly string[] }>;
  yieldMemory(
    request: {
      readonly bytes: number;
      readonly pools?: MemoryYield['pools'];
      readonly name?: string | null;
      readonly untilMs?: number | null;
    },
    options?: ChangeOptions,
  ): Promise<{
    readonly journal: JournalFacts;
    readonly yield: MemoryYield;
    /** With `dryRun`, what would be unloaded and loaded; null where it is not known. */
    readonly effect: YieldEffect | null;
  }>;
  endYield(
    name?: string | null,
    options?: ChangeOptions,
  ): Promise<{ readonly journal: JournalFacts; readonly released: readonly MemoryYield[] }>;
}

/** The wording of decisions and figures. Functions of `@mai/host` satisfy this port. */
export interface ControlWords {
  /** The identifier of a logged decision. */
  decisionIdOf(record: { readonly atMs: number; readonly sequence: number }): string;
  /** Why a candidate was not chosen, as a phrase that follows the model key. */
  explainRejection(rejection: Rejection): string;
  /** Trade-offs as a phrase that follows 'fits with'. */
  describeTradeOffs(tradeOffs: readonly TradeOff[]): string;
  /** A decision in words: a headline, and labelled sentences with the figures. */
  explainEpisode(episode: DecisionEpisode): {
    readonly headline: string;
    readonly sentences: readonly (readonly [label: string, text: string])[];
  };
  /** The next step where no model was chosen. */
  describeObstacle(obstacle: { readonly kind: string }): string;
  /** The name of a pool, such as `RAM` or `VRAM 2`. */
  poolLabel(pool: PoolName, resources: Resources): string;
  /** Bytes with their unit, such as `3.4 GiB`. */
  formatBytes(bytes: number | null): string;
  /** A number with separators, such as `32,768`. */
  formatCount(count: number | null): string;
}

/** One reading of a machine. */
export interface MachineStatus {
  readonly runtime:
    | {
        readonly name: 'lmstudio' | 'embedded';
        readonly state: 'running';
        readonly baseUrl: string | null;
        readonly version: string;
        readonly isLocal: boolean;
      }
    | {
        readonly name: 'lmstudio' | 'embedded';
        readonly state: 'off' | 'failing';
        readonly message: string;
      };
  readonly resources: Resources;
  readonly trends: readonly {
    readonly pool: string;
    readonly trend: {
      readonly direction: 'rising' | 'falling' | 'steady' | 'unknown';
      readonly timeToLimitMs: number | null;
    };
  }[];
  readonly pools: readonly PoolOutcome[];
  readonly residents: readonly MachineResident[];
  readonly elsewhere: readonly LoadedInstance[];
  readonly config: { readonly source: string; readonly file: string | null };
}

/** A loaded copy of a model. */
export interface LoadedInstance {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
}

/** A resident with its memory. */
export interface MachineResident extends LoadedInstance {
  readonly sizeBytes: number;
  readonly contextLengthTokens: number | null;
  readonly loadConfig: LoadConfig;
  readonly ttlMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly queued: number | null;
  readonly footprint: Footprint | null;
  readonly busy: boolean;
  readonly foreign: boolean;
  readonly exceedsGpus: boolean;
}

/** The models of a machine. */
export interface MachineModels {
  readonly models: readonly MachineModel[];
  readonly downloadedCount: number;
  readonly unusable: readonly {
    readonly path: string;
    readonly modelKey: string | null;
    readonly why: string;
  }[];
}

/** A model, judged as the only model that Mai loads. */
export interface MachineModel {
  readonly profile: {
    readonly modelKey: string;
    readonly displayName: string;
    readonly tier: Tier;
    readonly capabilities: readonly Capability[];
    readonly contextLengthTokens: number;
    readonly maxContextLengthTokens: number | null;
    readonly loadConfig: LoadConfig;
    readonly downloaded: boolean;
  };
  readonly footprint: Footprint | null;
  readonly rejection: Rejection | null;
  readonly cheaper: CheaperLoad | null;
  readonly sizeBytes: number | null;
  readonly loaded: boolean;
  /** Speed of the load as configured, or of `cheaper` where only that fits. Null: not known. */
  readonly speed: LoadSpeed | null;
  /** 0 to 1; null where it is not known. */
  readonly quality: number | null;
}

/** A decision that was not carried out. */
export interface SelectionAnswer {
  readonly selection: MachineSelection;
  readonly input: {
    readonly resources: Resources;
    readonly residents: readonly LoadedInstance[];
    readonly candidates: readonly {
      readonly modelKey: string;
      readonly displayName: string;
      readonly tier: Tier;
      readonly capabilities: readonly string[];
      readonly downloaded: boolean;
      readonly loadOptions: readonly {
        readonly loadConfig: LoadConfig;
        readonly footprint: Footprint | null;
        readonly tradeOffs: readonly TradeOff[];
        readonly speed: LoadSpeed | null;
        readonly quality: number | null;
      }[];
    }[];
  };
  readonly obstacle: { readonly kind: string } | null;
}

/** The state of an autopilot. */
export interface AutopilotFacts {
  readonly status: 'stopped' | 'running' | 'switching' | 'stopping';
  readonly decision: { readonly input: { readonly residents: readonly ObservedModel[] } } | null;
  readonly fault: unknown;
  readonly breakerOpenUntilMs: number | null;
  readonly putOffUntilMs: number | null;
  readonly leased: readonly string[];
  readonly waiting: number;
  readonly idle: boolean;
}

/** Pins and yields. */
export interface JournalFacts {
  readonly pins: readonly Pin[];
  readonly yields: readonly MemoryYield[];
}

/** The decision of the running autopilot, computed again with a further yield. */
export interface YieldEffect {
  readonly selection: MachineSelection;
  readonly input: {
    readonly resources: Resources;
    readonly residents: readonly ObservedModel[];
  };
}

/** A load by hand. */
export interface LoadRequest {
  readonly models: readonly string[];
  readonly changes?: Partial<LoadConfig>;
  readonly identifier?: string | null;
  readonly ttlMs?: number | null;
}

/** The result of a load by hand. */
export interface LoadAnswer {
  readonly instance: LoadedInstance & { readonly loadConfig: LoadConfig };
  /** Settings of the instance that differ from the request. */
  readonly verified: readonly { readonly field: string }[];
  readonly reused: boolean;
  /** Why the pin could not be written; null where it was. */
  readonly pinError: unknown;
}
