import type {
  AutopilotEvent,
  AutopilotState,
  JournalState,
  SelectionRequest,
  Yield,
} from '@mai/autopilot';
import type { Resources } from '@mai/memory-ledger';
import type { EstimateSettings } from '@mai/memory-estimator';
import type { LoadedModelConfig } from '@mai/model-config';
import type { RunningAutopilot } from './autopilot/running-autopilot.js';
import type { Lease, LeaseRequirement } from './autopilot/host-autopilot.js';
import type { AutopilotRequest } from './autopilot/open-autopilot.js';
import type { EstimatedLoad, LoadRequest } from './by-hand/plan-loads.js';
import type { UnpinRequest } from './by-hand/find-in-journal.js';
import type { YieldRequest } from './by-hand/yield-request.js';
import type { ConfigPlaces } from './config/config-places.js';
import type { InitialConfig } from './config/initial-config.js';
import type {
  CallOptions,
  HandLoaded,
  HandUnloaded,
  JournalAnswer,
} from './control/autopilot-service.js';
import type { DecisionHistory, DecisionsQuery } from './decisions/read-history.js';
import type { ReplayedLog } from './decisions/replay-log.js';
import type { Check } from './doctor/check.js';
import type { EstimateRequest } from './estimates/estimate-model.js';
import type { FileEstimate } from './estimates/file-estimates.js';
import type { ModelEstimate } from './estimates/model-estimate.js';
import type { MeasureReport, MeasureRequest } from './footprints/measure-model.js';
import type { StatusReport } from './machine/read-status.js';
import type { WatchStatusOptions } from './machine/watch-status.js';
import type { ModelList, ModelsQuery } from './models/list-models.js';
import type { NameKind } from './names.js';
import type { SelectionReport, SwitchOptions, SwitchReport } from './selection/select.js';
import type { SimulatedHardware, SimulatedModels } from './simulation/open-simulated-models.js';

/** Options of a change. */
export interface ChangeOptions extends CallOptions {
  /** Checks the request and changes nothing; default false. */
  readonly dryRun?: boolean;
}

/** Called with the progress of a load. */
export interface LoadOptions extends CallOptions {
  readonly onProgress?: (progress: {
    readonly modelKey: string;
    /** Size on disk; null where LM Studio does not tell. */
    readonly sizeBytes: number | null;
    /** 0 to 1. */
    readonly ratio: number;
  }) => void;
}

/** A request to unload. */
export interface UnloadRequest {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** Every instance of the model. Without it, a key that several instances have is refused. Default false. */
  readonly all?: boolean;
  /** Whether to unload instances that are generating or leased, too. Default false. */
  readonly force?: boolean;
}

/** The pins that were removed, and the journal without them. */
export interface UnpinAnswer extends JournalAnswer {
  readonly unpinned: readonly string[];
}

/** The yields that have ended, and the journal without them. */
export interface EndYieldAnswer extends JournalAnswer {
  readonly released: readonly Yield[];
}

/** A yield, and the journal with it. */
export interface YieldAnswer extends JournalAnswer {
  readonly yield: Yield;
}

/**
 * One machine's Mai. Nothing is opened before it is needed, and every part is closed with the host.
 *
 * These work while LM Studio is off: `status`, `models`, `select`,
 * `estimate`, `doctor`, `decisions`, `replay`, `simulatedModels`, the journal. Everything else throws
 * LMStudioError `UNREACHABLE` then. All methods throw ModelConfigError for a configuration with faults, and the
 * signal's reason when they are cancelled.
 */
export interface Host extends AsyncDisposable {
  /** One reading of the machine, LM Studio and what is loaded. */
  status(options?: CallOptions): Promise<StatusReport>;
  /** Readings for as long as they are iterated over; more frequent while figures change. */
  watchStatus(options?: WatchStatusOptions): AsyncIterable<StatusReport>;
  /** The machine's totals and what is free now. */
  resources(options?: CallOptions): Promise<Resources>;

  /** The models of this machine, each with its memory and whether it fits on its own. */
  models(query?: ModelsQuery, options?: CallOptions): Promise<ModelList>;
  /** One model's memory, part by part, and whether it fits. The verdict equals that of `models`. */
  estimate(request: EstimateRequest, options?: CallOptions): Promise<ModelEstimate>;
  /**
   * The memory of a GGUF file, without asking the machine or LM Studio. For many questions about
   * a few files.
   */
  estimateFile(file: string, settings: EstimateSettings): Promise<FileEstimate>;
  /** Loads a model, measures its memory, unloads it, and corrects later estimates by the result. */
  measure(request: MeasureRequest, options?: CallOptions): Promise<MeasureReport>;

  /** Decides which model is best now, and changes nothing. */
  select(request?: SelectionRequest, options?: CallOptions): Promise<SelectionReport>;
  /** Decides once, unloads the models in the way and loads the chosen one. */
  switchModel(request?: SelectionRequest, options?: SwitchOptions): Promise<SwitchReport>;
  /**
   * A lease on a resident model that meets the requirement; loads one first where necessary. Asks
   * the running autopilot. Where none runs, this process runs one until the host is closed.
   * @throws HostError `NOTHING_FITS` with the selection; `SERVER_OFF`
   */
  acquire(requirement?: LeaseRequirement, options?: CallOptions): Promise<Lease>;
  /**
   * Runs the autopilot in this process.
   * @throws AutopilotError `ALREADY_RUNNING`, `JOURNAL_UNUSABLE`
   */
  startAutopilot(request?: AutopilotRequest): Promise<RunningAutopilot>;
  /** The state of the running autopilot; null where none runs. */
  autopilotState(options?: CallOptions): Promise<AutopilotState | null>;
  /** The events of the running autopilot from now on; null where no autopilot runs. */
  events(options?: CallOptions): Promise<AsyncIterable<AutopilotEvent> | null>;

  /** Loads by hand. The instance is pinned until it is unloaded by hand. */
  load(request: LoadRequest, options?: LoadOptions): Promise<HandLoaded>;
  /** LM Studio's estimate for such a load. */
  estimateLoad(request: LoadRequest, options?: CallOptions): Promise<readonly EstimatedLoad[]>;
  /**
   * Unloads by hand. @throws LMStudioError `LOAD_REFUSED` for an instance that is generating or
   * leased, unless forced
   */
  unload(request: UnloadRequest, options?: ChangeOptions): Promise<HandUnloaded>;
  /** Pins and yields. */
  journal(options?: CallOptions): Promise<JournalState>;
  /**
   * Keeps a model from being unloaded.
   * @param target - a model key or an instance identifier. @throws LMStudioError `MODEL_NOT_FOUND`
   */
  pin(target: string, options?: ChangeOptions): Promise<JournalAnswer>;
  /** Removes pins. */
  unpin(request?: UnpinRequest, options?: ChangeOptions): Promise<UnpinAnswer>;
  /** Keeps memory free for others. */
  yieldMemory(request: YieldRequest, options?: ChangeOptions): Promise<YieldAnswer>;
  /**
   * Ends yields.
   * @param name - null, the default: all of them.
   */
  endYield(name?: string | null, options?: ChangeOptions): Promise<EndYieldAnswer>;

  /**
   * The last decisions of the autopilot for this LM Studio, also of an autopilot that has ended.
   */
  decisions(query?: DecisionsQuery, options?: CallOptions): Promise<DecisionHistory>;
  /**
   * Repeats recorded decisions and compares.
   * @param log - a file; the whole decision log of this LM Studio unless given.
   */
  replay(log?: string | null, options?: CallOptions): Promise<ReplayedLog>;
  /** Checks everything that a decision depends on, and says how to mend what is wrong. */
  doctor(options?: CallOptions): Promise<readonly Check[]>;
  /** The models of a chain for a simulation. @param chain - null: the default chain. */
  simulatedModels(
    chain: string | null,
    hardware: SimulatedHardware,
    options?: CallOptions,
  ): Promise<SimulatedModels>;

  /** The configuration in use. @throws ModelConfigError */
  config(): Promise<LoadedModelConfig>;
  /** The files in which a configuration is looked for, in order. */
  configPlaces(): Promise<ConfigPlaces>;
  /** A first configuration, made from the downloaded models. */
  initialConfig(options?: CallOptions): Promise<InitialConfig>;
  /** Names for shell completions; names that can't be read are left out. */
  names(kind: NameKind, options?: CallOptions): Promise<readonly string[]>;
}
