import type { LoadConfig, StatedCapability } from '@mai/memory-ledger';
import type { HomeLookup } from '../home/lmstudio-home.js';
import type { EngineWatch, WatchEnginesOptions } from './watch-engines.js';
import type { EstimateOptions, ResourceEstimate } from '../load/estimate.js';
import type {
  LoadFirstResult,
  LoadRequest,
  LoadResult,
  UnconfirmedLoad,
} from '../load/load-types.js';
import type { HardwareSurvey } from '../machine/hardware-survey.js';
import type { HostFacts } from '../machine/host-facts.js';
import type { LinkedDevices, LMStudioVersion } from '../machine/inspect-machine.js';
import type { SelectedEngine } from '../home/selected-engine.js';
import type { ModelMatch } from '../models/find-model.js';
import type { GenerateRequest, Generation, WarmUp, WarmUpOptions } from '../models/generate.js';
import type { DownloadedModel, ModelListing, ResidentInstance } from '../models/model-types.js';
import type { CallOptions } from '../wire/deadline.js';

/** How to reach LM Studio. */
export interface ConnectOptions extends HomeLookup {
  /** http, https, ws or wss URL, or host:port. Default: the address that `discover` finds. */
  readonly baseUrl?: string | undefined;
  /** Default: `LM_API_TOKEN` from the environment. Without a token the client is anonymous. */
  readonly apiToken?: string | undefined;
  /** Name of an anonymous client in LM Studio's logs. A random part is added. Default: `mai`. */
  readonly clientIdentifier?: string | undefined;
  /** Deadline in milliseconds of connecting, and of every later call that sets none, at least 0. Default: 5000. */
  readonly timeoutMs?: number | undefined;
  /** Cancels connecting. */
  readonly signal?: AbortSignal | undefined;
  /** Loopback ports for discovery, from 1 to 65535, in place of LM Studio's own. */
  readonly ports?: readonly number[] | undefined;
}

/** One downloaded model with its capabilities, variants and residents. */
export interface ModelDetails {
  readonly model: DownloadedModel;
  readonly capabilities: readonly StatedCapability[];
  /** The variants with their own sizes; empty where the model has no variants. */
  readonly variants: readonly DownloadedModel[];
  readonly residents: readonly ResidentInstance[];
}

/**
 * A connection to one LM Studio. Every method ends by its deadline, prints nothing, and works again
 * after LM Studio restarts. Facts that an older LM Studio does not report are `null`.
 *
 * Every method can throw `LMStudioError` `UNREACHABLE`, `UNAUTHORIZED`, `INCOMPATIBLE` or `TIMED_OUT`,
 * throws the signal's reason when cancelled, and a RangeError for a number out of its range, such as a `timeoutMs` of NaN. A
 * method's comment names its further codes.
 */
export interface LMStudioClient extends AsyncDisposable {
  /** `ws://host:port` of this LM Studio. */
  readonly baseUrl: string;
  /** Whether LM Studio runs on this machine. */
  readonly host: HostFacts;
  /** LM Studio's version when the client connected. */
  readonly connectedVersion: LMStudioVersion;

  /** Asks for the version, which may differ from `connectedVersion` after a restart. */
  version(options?: CallOptions): Promise<LMStudioVersion>;
  /** Lists the downloaded LLMs and embedding models, and names the entries that were left out. */
  listDownloaded(options?: CallOptions): Promise<ModelListing>;
  /** Lists the loaded LLMs and embedding models, with load configuration and activity. */
  listResidents(options?: CallOptions): Promise<readonly ResidentInstance[]>;
  /** Looks a model key up among the downloaded models. An unknown key gets suggestions. */
  findModel(modelKey: string, options?: CallOptions): Promise<ModelMatch>;
  /** One downloaded model with its details. Throws `MODEL_NOT_FOUND` with suggestions. */
  modelInfo(modelKey: string, options?: CallOptions): Promise<ModelDetails>;
  /**
   * LM Studio's own estimate and the verdict of its guardrails; `null` where it has no estimate.
   * Throws `MODEL_NOT_FOUND`, and `LOAD_REFUSED` for a configuration that LM Studio does not have.
   */
  estimate(
    modelKey: string,
    loadConfig: LoadConfig,
    options?: EstimateOptions,
  ): Promise<ResourceEstimate | null>;
  /** Total memory and devices of the machine that LM Studio runs on. */
  surveyHardware(options?: CallOptions): Promise<HardwareSurvey | null>;
  /** The engine that LM Studio uses for each model format. */
  selectedEngines(options?: CallOptions): Promise<readonly SelectedEngine[] | null>;
  /**
   * Subscribes to the logs of LM Studio's engines: each engine's process and the memory that it has allocated. The
   * stream also carries prompts and answers, which are dropped on arrival. The watch keeps the process alive until
   * the watch or the client is closed.
   */
  watchEngines(options?: WatchEnginesOptions): Promise<EngineWatch>;
  /** The machines of LM Link. */
  devices(options?: CallOptions): Promise<LinkedDevices | null>;

  /**
   * Loads a model and compares the result with the request. Loads on one device run one after another. Equal
   * requests share one load. A resident with the same settings and enough context is reused. A cancelled or
   * timed-out load leaves no copy behind. Where LM Studio does not confirm that, the error is `uncertain` and
   * `unconfirmedLoads` names the load. Throws `MODEL_NOT_FOUND`, `LOAD_REFUSED`, `LOAD_FAILED`, `LOAD_TIMED_OUT`.
   */
  load(request: LoadRequest): Promise<LoadResult>;
  /**
   * Loads the first request that succeeds. Throws `LOAD_FAILED` with all `failures` when every
   * request fails.
   */
  loadFirst(requests: readonly LoadRequest[]): Promise<LoadFirstResult>;
  /**
   * The abandoned loads whose end LM Studio has not confirmed, also after `close`. Until it is closed, the client
   * unloads their copies when they appear. Tell the user about these loads before the process ends.
   */
  unconfirmedLoads(): readonly UnconfirmedLoad[];
  /** Unloads one instance. Resolves when LM Studio no longer lists the instance. Throws `INSTANCE_NOT_FOUND`. */
  unload(instanceIdentifier: string, options?: CallOptions): Promise<void>;
  /** Generates a short text with a loaded LLM. Throws `INSTANCE_NOT_FOUND`. */
  generate(request: GenerateRequest): Promise<Generation>;
  /** Runs a prompt through a loaded model, so that its memory can be measured. */
  warmUp(instanceIdentifier: string, options?: WarmUpOptions): Promise<WarmUp>;
  /** Cancels open calls and closes every socket. May be called more than once. */
  close(): Promise<void>;
}
