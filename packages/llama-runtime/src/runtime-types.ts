import type { LoadConfig, StatedCapability } from '@mai/memory-ledger';
import type { ModelMatch } from './models/find-model.js';
import type { ListModels } from './models/list-models.js';
import type { LocalModel, ModelListing } from './models/model-types.js';
import type { EngineScripts } from './process/find-scripts.js';
import type { EndedEngine } from './residents/engines.js';
import type { EngineReport } from './residents/buffer-lines.js';
import type { GenerateRequest, Generation, WarmUp, WarmUpOptions } from './requests/generate.js';
import type {
  EstimateOptions,
  LoadFirstResult,
  LoadRequest,
  LoadResult,
  ResourceEstimate,
} from './load/load-types.js';
import type { CallOptions } from './within.js';
import type { HardwareSurvey, HostFacts, SelectedEngine } from './machine/survey.js';
import type { ResidentInstance } from './residents/resident-types.js';

/** Estimates the memory of a model with a load configuration in which every default is filled in. */
export type EstimateMemory = (
  model: LocalModel,
  loadConfig: LoadConfig,
  options: EstimateOptions,
) => Promise<ResourceEstimate | null>;

/** Options of `createLlamaRuntime`. */
export interface LlamaRuntimeOptions {
  /** Folders that are searched for GGUF files, four levels deep. */
  readonly modelFolders?: readonly string[] | undefined;
  /** Supplies the models, beside those in `modelFolders`. */
  readonly models?: ListModels | undefined;
  /**
   * Folder in which the engines of this user's processes are registered. Each process then lists and unloads the
   * residents of the others. Default: no folder, so that only this runtime's own residents are listed.
   */
  readonly stateFolder?: string | undefined;
  /** `cpu`: no layers on a GPU. `auto` (default): a GPU where the npm package of a GPU build is installed. */
  readonly engine?: 'auto' | 'cpu' | undefined;
  /** Threads of each engine. Default and maximum: the physical cores that this process may use. */
  readonly threads?: number | undefined;
  /** Estimates memory. Default: there is no estimate, and no load is refused for its size. */
  readonly estimate?: EstimateMemory | undefined;
  /**
   * Interval at which each engine is asked whether it is alive, in milliseconds. An engine that hangs is killed: after 6
   * intervals where it does no work, else after 120 intervals and 0.4 for each token of the open prompts. Default: 5000.
   */
  readonly healthIntervalMs?: number | undefined;
  /** Cancels the creation. */
  readonly signal?: AbortSignal | undefined;
  /** Programs of the child processes. Default: those beside this package's bundle. Tests replace them. */
  readonly scripts?: EngineScripts | undefined;
}

/** One model with its capabilities and residents. */
export interface ModelDetails {
  readonly model: LocalModel;
  /** From the file alone. Coding and analysis are not in the file. */
  readonly capabilities: readonly StatedCapability[];
  /** Always empty here: each file is a model of its own. */
  readonly variants: readonly LocalModel[];
  readonly residents: readonly ResidentInstance[];
}

/** The facts that the engines printed. */
export interface EngineWatch extends AsyncDisposable {
  /** One report for each resident: those of this runtime, and the others as of the last list of residents. */
  reports(): readonly EngineReport[];
  /** Does nothing, because a report needs no subscription here. */
  close(): Promise<void>;
}

/** Where a resident serves HTTP. */
export interface EngineAddress {
  /** For an OpenAI client; ends in `/v1`. */
  readonly baseUrl: string;
  /** Every request needs them. */
  readonly requestHeaders: { readonly authorization: string };
}

/**
 * Models in llama.cpp, with one child process for each model. Its methods are those of `LMStudioClient` in
 * `@mai/lmstudio-adapter`. Every method ends by its deadline and prints nothing.
 *
 * Every method throws `LlamaRuntimeError` `CLOSED` after `close`, and the signal's reason when cancelled. A method's
 * comment names its further codes.
 */
export interface LlamaRuntime extends AsyncDisposable {
  /** `embedded://localhost`. Each resident has an address of its own; see `addressOf`. */
  readonly baseUrl: string;
  readonly host: HostFacts;
  /** Version of the binding, and the number of llama.cpp's build in it (0: not known). */
  readonly connectedVersion: EngineVersion;

  /** The same as `connectedVersion`. */
  version(options?: CallOptions): Promise<EngineVersion>;
  /** Lists the models, and names the files that were left out. */
  listDownloaded(options?: CallOptions): Promise<ModelListing>;
  /** Lists the loaded models of this runtime, and those that other processes have registered. */
  listResidents(options?: CallOptions): Promise<readonly ResidentInstance[]>;
  /** Looks a model key up. An unknown key gets suggestions. */
  findModel(modelKey: string, options?: CallOptions): Promise<ModelMatch>;
  /** One model with its details. Throws `MODEL_NOT_FOUND` with suggestions. */
  modelInfo(modelKey: string, options?: CallOptions): Promise<ModelDetails>;
  /** The estimate of the `estimate` port; `null` without one. Throws `MODEL_NOT_FOUND`. */
  estimate(
    modelKey: string,
    loadConfig: LoadConfig,
    options?: EstimateOptions,
  ): Promise<ResourceEstimate | null>;
  /** Memory and GPUs of this machine, as llama.cpp sees them. */
  surveyHardware(options?: CallOptions): Promise<HardwareSurvey>;
  /** The engine for GGUF files. */
  selectedEngines(options?: CallOptions): Promise<readonly SelectedEngine[]>;
  /** Each engine's process and the memory that it has allocated. */
  watchEngines(): Promise<EngineWatch>;
  /** Always `null`: there are no other devices. */
  devices(options?: CallOptions): Promise<null>;

  /**
   * Loads a model in a child process and compares the result with the request. Loads run one after another. Equal
   * requests share one load. A resident with the same settings and enough context is reused. A cancelled or timed-out
   * load leaves no process. Throws `MODEL_NOT_FOUND`, `LOAD_REFUSED`, `LOAD_FAILED`, `LOAD_TIMED_OUT`,
   * `ENGINE_CRASHED`.
   */
  load(request: LoadRequest): Promise<LoadResult>;
  /**
   * Calls `listener` as soon as an engine of this runtime ends although this runtime has not unloaded it: after a crash,
   * a hang, a kill, or an unload by another process. Exceptions of the listener are ignored. Returns a function that stops the calls.
   */
  onEnded(listener: (ended: EndedEngine) => void): () => void;
  /** Loads the first request that succeeds. Throws `LOAD_FAILED` with all `failures` when every request fails. */
  loadFirst(requests: readonly LoadRequest[]): Promise<LoadFirstResult>;
  /** Always empty: a cancelled load's process is gone before the load rejects. */
  unconfirmedLoads(): readonly never[];
  /**
   * Ends the process of an instance. Resolves when the process is gone, and its memory with it. An engine that hangs
   * is killed. Throws `INSTANCE_NOT_FOUND` with suggestions.
   */
  unload(instanceIdentifier: string, options?: CallOptions): Promise<void>;
  /** Where an instance serves HTTP. Throws `INSTANCE_NOT_FOUND`. */
  addressOf(instanceIdentifier: string): Promise<EngineAddress>;
  /** Generates a short text. Throws `INSTANCE_NOT_FOUND`, `REQUEST_FAILED`, `TIMED_OUT`, `ENGINE_CRASHED`. */
  generate(request: GenerateRequest): Promise<Generation>;
  /** Runs a prompt through a model, so that its memory can be measured. Throws as `generate`. */
  warmUp(instanceIdentifier: string, options?: WarmUpOptions): Promise<WarmUp>;
  /** Cancels loads, and ends every child process of this runtime. May be called more than once. */
  close(): Promise<void>;
}

/** Version of the binding, and llama.cpp's build in it. */
export interface EngineVersion {
  readonly version: string;
  readonly build: number;
}
