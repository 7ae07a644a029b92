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
import type { RunningAutopilot } from './running-autopilot.js';
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

/** How a change is made. */
export interface ChangeOptions extends CallOptions {
  /** Checks the request and changes nothing; default false. */
  readonly dryRun?: boolean;
}

/** Tells how far a load is. */
export interface LoadOptions extends CallOptions {
  readonly onProgress?: (progress: {
    readonly modelKey: string;
    /** Size on disk; null where LM Studio does not tell. */
    readonly sizeBytes: number | null;
    /** 0 to 1. */
    readonly ratio: number;
  }) => void;
}

/** What is to be unloaded. */
export interface UnloadRequest {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** Every instance of the model. Without it, a key that several instances have is refused. Default false. */
  readonly all?: boolean;
  /** Also what is generating or leased. Default false. */
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
 * What has an answer without LM Studio gives it while LM Studio is off: `status`, `models`, `select`,
 * `estimate`, `doctor`, `decisions`, `replay`, `simulatedModels`, the journal. Everything else throws
 * LMStudioError `UNREACHABLE` then. All methods throw ModelConfigError for a configuration with faults, and the
 * signal's reason when they are cancelled.
 */
export interface Host extends AsyncDisposable {
  /** One reading of the machine, LM Studio and what is loaded. */
  status(options?: CallOptions): Promise<StatusReport>;
  /** Readings for as long as they are iterated over, fast while something moves. */
  watchStatus(options?: WatchStatusOptions): AsyncIterable<StatusReport>;
  /** What the machine has and has left now. */
  resources(options?: CallOptions): Promise<Resources>;

  /** The models that are here, each with what it takes and whether it fits on its own. */
  models(query?: ModelsQuery, options?: CallOptions): Promise<ModelList>;
  /** What one model takes, part by part, and whether it fits. The same verdict as in `models`. */
  estimate(request: EstimateRequest, options?: CallOptions): Promise<ModelEstimate>;
  /** What a GGUF file takes. Asks neither the machine nor LM Studio; for many questions about a few files. */
  estimateFile(file: string, settings: EstimateSettings): Promise<FileEstimate>;
  /** Loads a model, measures what it takes, unloads it, and corrects later estimates by the result. */
  measure(request: MeasureRequest, options?: CallOptions): Promise<MeasureReport>;

  /** Decides which model is best now, and changes nothing. */
  select(request?: SelectionRequest, options?: CallOptions): Promise<SelectionReport>;
  /** Decides once, unloads what is in the way and loads what was chosen. */
  switchModel(request?: SelectionRequest, options?: SwitchOptions): Promise<SwitchReport>;
  /**
   * A lease on a resident model that meets the requirement; loads one first where it must. The running autopilot
   * is asked; where none runs, this process runs one until the host is closed.
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
  /** What the running autopilot does from now on; null where none runs. */
  events(options?: CallOptions): Promise<AsyncIterable<AutopilotEvent> | null>;

  /** Loads by hand. What was loaded by hand is pinned until it is unloaded by hand. */
  load(request: LoadRequest, options?: LoadOptions): Promise<HandLoaded>;
  /** What LM Studio expects of such a load. */
  estimateLoad(request: LoadRequest, options?: CallOptions): Promise<readonly EstimatedLoad[]>;
  /** Unloads by hand. @throws LMStudioError `LOAD_REFUSED` for what is generating or leased, unless forced */
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

  /** The last decisions of the autopilot for this LM Studio, also of one that has ended. */
  decisions(query?: DecisionsQuery, options?: CallOptions): Promise<DecisionHistory>;
  /**
   * Makes recorded decisions anew and compares.
   * @param log - a file; the whole decision log of this LM Studio unless given.
   */
  replay(log?: string | null, options?: CallOptions): Promise<ReplayedLog>;
  /** Checks everything that a decision depends on, and says how to mend what is wrong. */
  doctor(options?: CallOptions): Promise<readonly Check[]>;
  /**
   * The models of a chain for a simulation.
   * @param chain - null: the default one.
   */
  simulatedModels(
    chain: string | null,
    hardware: SimulatedHardware,
    options?: CallOptions,
  ): Promise<SimulatedModels>;

  /** The configuration in use. @throws ModelConfigError */
  config(): Promise<LoadedModelConfig>;
  /** The files in which a configuration is looked for, in order. */
  configPlaces(): Promise<ConfigPlaces>;
  /** A first configuration, made from what is downloaded. */
  initialConfig(options?: CallOptions): Promise<InitialConfig>;
  /** Names for shell completions; what can't be found out is left out. */
  names(kind: NameKind, options?: CallOptions): Promise<readonly string[]>;
}
