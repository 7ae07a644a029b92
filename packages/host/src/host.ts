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
import type { KeepOptions } from './autopilot/keep-options.js';
import type { AutopilotRequest } from './autopilot/open-autopilot.js';
import type { EstimatedLoad, LoadRequest } from './by-hand/plan-loads.js';
import type { UnpinRequest } from './by-hand/find-in-journal.js';
import type { YieldRequest } from './by-hand/yield-request.js';
import type { BenchOptions, BenchRequest, BenchResult } from './bench/bench-result.js';
import type { Conversation } from './chat/conversation.js';
import type { Comparison, CompareRequest } from './compare/compare-models.js';
import type { ConfigPlaces } from './config/config-places.js';
import type { InitialConfig } from './catalog/initial-config.js';
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
import type { FleetFacts } from './fleet/fleet-facts.js';
import type { MeasureReport, MeasureRequest } from './learning/measure-model.js';
import type { StatusReport } from './machine/read-status.js';
import type { HostFolders } from './files/user-folders.js';
import type { WatchStatusOptions } from './machine/watch-status.js';
import type { ModelList, ModelsQuery } from './model-list/list-models.js';
import type { NameKind } from './names.js';
import type { SelectionReport, SwitchOptions, SwitchReport } from './selection/select.js';
import type { Serving } from './serving/serving.js';
import type { SimulatedHardware, SimulatedModels } from './simulation/open-simulated-models.js';

/** Options of a change. */
export interface ChangeOptions extends CallOptions {
  /** Checks the request and changes nothing; default false. */
  readonly dryRun?: boolean;
}

/** Options of a load by hand. */
export interface LoadOptions extends CallOptions {
  /**
   * Whether the model must stay loaded after the host is closed. The embedded engine's processes end with the process
   * that has started them, so such a load then needs an autopilot in another process. Default false.
   */
  readonly outlivesHost?: boolean;
  /** Called with the progress of the load. */
  readonly onProgress?: (progress: {
    readonly modelKey: string;
    /** Size on disk; null where LM Studio does not report it. */
    readonly sizeBytes: number | null;
    /** 0 to 1. */
    readonly ratio: number;
  }) => void;
}

/** Options of the checks. */
export interface DoctorOptions extends CallOptions {
  /**
   * Whether to measure the bandwidth of RAM, for about two seconds. Predictions of models in RAM rest on it from then on. Default
   * false.
   */
  readonly measure?: boolean;
}

/** A request to unload. */
export interface UnloadRequest {
  /** An instance identifier or a model key. */
  readonly target: string;
  /** Whether to unload every instance of the model. If false, a model key with several instances is an error. Default false. */
  readonly all?: boolean;
  /** Whether to unload also instances that are generating or leased. Default false. */
  readonly force?: boolean;
}

/** The targets of the removed pins, and the journal without these pins. */
export interface UnpinAnswer extends JournalAnswer {
  readonly unpinned: readonly string[];
}

/** The ended yields, and the journal without them. */
export interface EndYieldAnswer extends JournalAnswer {
  readonly released: readonly Yield[];
}

/** The new yield, and the journal that contains it. */
export interface YieldAnswer extends JournalAnswer {
  readonly yield: Yield;
  /**
   * With `dryRun`, what the yield would change: the last decision of the running autopilot, computed again with the yield. Null
   * where no autopilot runs, or where its last decision was not its own but one for a request.
   */
  readonly effect: Pick<SelectionReport, 'selection' | 'input'> | null;
}

/**
 * Mai on one machine. Each part is opened when a call first needs it, and closed with the host.
 *
 * While the runtime is off, the methods that need it throw LMStudioError `UNREACHABLE`, or LlamaRuntimeError
 * `ENGINE_MISSING` where the embedded engine is not installed: `acquire`,
 * `startAutopilot`, `switchModel` without `dryRun`, `load`, `unload`, `estimateLoad` and `measure`. Methods that
 * read the configuration throw ModelConfigError where it has faults. A cancelled call rejects with
 * the signal's reason.
 */
export interface Host extends AsyncDisposable {
  /** One reading of the machine, the runtime and the loaded models. */
  status(options?: CallOptions): Promise<StatusReport>;
  /** Repeated readings, until the iteration ends. They are more frequent while figures change. */
  watchStatus(options?: WatchStatusOptions): AsyncIterable<StatusReport>;
  /** The machine's totals and what is free now. */
  resources(options?: CallOptions): Promise<Resources>;

  /** The models of this machine. For each: its memory, and whether it fits as the only model that Mai loads. */
  models(query?: ModelsQuery, options?: CallOptions): Promise<ModelList>;
  /** Models beside each other on this machine: quality, speed, and their value for a goal. */
  compare(request?: CompareRequest, options?: CallOptions): Promise<Comparison>;
  /** The memory of one model, part by part, and whether it fits. Gives the same verdict as `models`. */
  estimate(request: EstimateRequest, options?: CallOptions): Promise<ModelEstimate>;
  /**
   * The memory of a GGUF file. Does not read the machine. Keeps the headers of the last files, for many questions
   * about a few files.
   * @param settings - settings that replace the engine's defaults
   * @param engine - name of the engine, as in `EstimateRequest`. Null, the default: the engine that would load the file
   *   here. It is looked up at the first such question.
   */
  estimateFile(
    file: string,
    settings: Partial<EstimateSettings>,
    engine?: string | null,
  ): Promise<FileEstimate>;
  /** Loads a model, measures its memory, unloads it, and corrects later estimates by the result. */
  measure(request: MeasureRequest, options?: CallOptions): Promise<MeasureReport>;

  /** Decides which model is best now. Loads and unloads nothing. */
  select(request?: SelectionRequest, options?: CallOptions): Promise<SelectionReport>;
  /** Decides once, unloads the models in the way and loads the chosen one. */
  switchModel(request?: SelectionRequest, options?: SwitchOptions): Promise<SwitchReport>;
  /**
   * A lease on a resident model that meets the requirement. Where no such model is resident, loads
   * one first. The running autopilot gives the lease. Where no autopilot runs, this process runs one until the
   * host is closed. Where other programs have just taken the memory for a model, waits up to 20 s for that memory.
   * @throws HostError `NOTHING_FITS` with the selection, `MODEL_NOT_FOUND`, `SERVER_OFF`, `INVALID_REQUEST`; LMStudioError or
   *   LlamaRuntimeError where the runtime is off or does not answer in time
   */
  acquire(requirement?: LeaseRequirement, options?: CallOptions): Promise<Lease>;
  /**
   * Begins a conversation. Loads nothing.
   * @param modelKey - null, the default: the best model that fits at each question
   */
  chat(modelKey?: string | null): Promise<Conversation>;
  /** The port through which a gateway serves from this machine. */
  readonly serving: Serving;
  /** The facts that this machine reports to its fleet. Reads the runtime and the machine once, and each model file once for each change. */
  fleetFacts(options?: CallOptions): Promise<FleetFacts>;
  /**
   * Runs the autopilot in this process.
   * @throws AutopilotError `ALREADY_RUNNING`, `JOURNAL_UNUSABLE`
   */
  startAutopilot(request?: AutopilotRequest): Promise<RunningAutopilot>;
  /**
   * Keeps an autopilot running until the signal fires: in this process where no other process runs one, and again here
   * when the other process has ended. Waits while LM Studio is off.
   */
  keepAutopilot(request: AutopilotRequest, options: Omit<KeepOptions, 'clock'>): Promise<void>;
  /** The state of the running autopilot; null where no autopilot runs. */
  autopilotState(options?: CallOptions): Promise<AutopilotState | null>;
  /**
   * The events of the running autopilot from now on; null where no autopilot runs, such as before the first `acquire`.
   * `keepAutopilot` gives all events from the start.
   */
  events(options?: CallOptions): Promise<AsyncIterable<AutopilotEvent> | null>;

  /**
   * Loads by hand, and pins the instance until it is unloaded by hand.
   * @throws HostError `NOT_KEPT` where the model must outlive the host, and no process can keep it
   */
  load(request: LoadRequest, options?: LoadOptions): Promise<HandLoaded>;
  /** The memory of a load by hand: LM Studio's own estimate, or Mai's for the embedded engine. Loads nothing. */
  estimateLoad(request: LoadRequest, options?: CallOptions): Promise<readonly EstimatedLoad[]>;
  /**
   * Unloads by hand. @throws LMStudioError `LOAD_REFUSED` for an instance that is generating or
   * leased, unless forced
   */
  unload(request: UnloadRequest, options?: ChangeOptions): Promise<HandUnloaded>;
  /** The journal with all pins and yields. */
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
   * Ends the yield with this name.
   * @param name - null, the default: ends every yield.
   */
  endYield(name?: string | null, options?: ChangeOptions): Promise<EndYieldAnswer>;

  /**
   * The last decisions about this runtime, also those of autopilots that have ended.
   */
  decisions(query?: DecisionsQuery, options?: CallOptions): Promise<DecisionHistory>;
  /**
   * Computes recorded decisions again and compares the results.
   * @param log - a file. Null, the default: the whole decision log of this runtime.
   */
  replay(log?: string | null, options?: CallOptions): Promise<ReplayedLog>;
  /**
   * Measures how fast models answer, compares that with the predictions, and corrects later predictions by it. A model is loaded
   * only where it fits. Models that were not loaded before are unloaded again.
   */
  bench(request?: BenchRequest, options?: BenchOptions): Promise<readonly BenchResult[]>;
  /** Checks everything that a decision depends on, and says how to fix each fault. */
  doctor(options?: DoctorOptions): Promise<readonly Check[]>;
  /** The models of a fallback chain for a simulation. @param chain - null: the default chain. */
  simulatedModels(
    chain: string | null,
    hardware: SimulatedHardware,
    options?: CallOptions,
  ): Promise<SimulatedModels>;

  /** The folders of this user's files. */
  readonly folders: HostFolders;
  /** The configuration in use. @throws ModelConfigError */
  config(): Promise<LoadedModelConfig>;
  /** The places that are searched for a configuration, in order. */
  configPlaces(): Promise<ConfigPlaces>;
  /** The text of a first configuration for the downloaded models. Writes no file. */
  initialConfig(options?: CallOptions): Promise<InitialConfig>;
  /** Names for shell completion. Empty for instances while the runtime is off. */
  names(kind: NameKind, options?: CallOptions): Promise<readonly string[]>;
}
