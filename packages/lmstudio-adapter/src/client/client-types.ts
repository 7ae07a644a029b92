import type { ModelCapability } from '../models/capabilities.js';
import type { ModelMatch } from '../models/find-model.js';
import type { GenerateRequest, Generation, WarmUp } from '../models/generate.js';
import type {
  HardwareSurvey,
  LinkedDevices,
  LMStudioVersion,
  ResourceEstimate,
  SelectedEngine,
} from '../machine/inspect-machine.js';
import type { HomeLookup } from '../discovery/lmstudio-home.js';
import type { HostFacts } from '../machine/host-facts.js';
import type { LoadFirstResult, LoadRequest, LoadResult } from '../load/load-types.js';
import type {
  CallOptions,
  DownloadedModel,
  LoadConfig,
  ModelKind,
  ResidentInstance,
} from '../models/model-types.js';

/** How to reach LM Studio. */
export interface ConnectOptions extends HomeLookup {
  /** http, https, ws or wss URL, or host:port; found by discovery unless given. */
  readonly baseUrl?: string | undefined;
  /** `LM_API_TOKEN` from the environment unless given; none means an anonymous client. */
  readonly apiToken?: string | undefined;
  /** Name of an anonymous client in LM Studio's logs; a random part is added. `mai` unless given. */
  readonly clientIdentifier?: string | undefined;
  /** Deadline in milliseconds of connecting, and of each call that has none of its own; 5000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Loopback ports for discovery instead of LM Studio's own. */
  readonly ports?: readonly number[] | undefined;
}

/** All that is known about one downloaded model. */
export interface ModelDetails {
  readonly model: DownloadedModel;
  readonly capabilities: readonly ModelCapability[];
  /** The variants with their own sizes; empty where there are none. */
  readonly variants: readonly DownloadedModel[];
  readonly residents: readonly ResidentInstance[];
}

/** What an estimate is asked for, besides the model and its load configuration. */
export interface EstimateOptions extends CallOptions {
  /** Looked up in what is downloaded unless given. */
  readonly kind?: ModelKind | undefined;
  readonly keepModelInMemory?: boolean | null | undefined;
  readonly deviceIdentifier?: string | null | undefined;
}

/** How a warm-up is run. */
export interface WarmUpOptions extends CallOptions {
  /** About how many tokens of prompt to process; 512 (llama.cpp's micro-batch) unless given. */
  readonly promptTokens?: number | undefined;
}

/**
 * A connection to one LM Studio. Every method ends by its deadline, prints nothing, and keeps
 * working when LM Studio restarts. What an older LM Studio cannot tell is `null`.
 *
 * All methods throw `LMStudioError` (`UNREACHABLE`, `UNAUTHORIZED`, `INCOMPATIBLE`, `TIMED_OUT`)
 * and rethrow the signal's reason when cancelled; further codes are named where they occur.
 */
export interface LMStudioClient extends AsyncDisposable {
  /** `ws://host:port` of this LM Studio. */
  readonly baseUrl: string;
  /** Where it runs, seen from here. */
  readonly host: HostFacts;
  /** Version when the connection was made. */
  readonly connectedVersion: LMStudioVersion;

  /** Asks for the version; after a restart it may differ from `connectedVersion`. */
  version(options?: CallOptions): Promise<LMStudioVersion>;
  /** Lists what is downloaded; over the REST API where the WebSocket call is not understood. */
  listDownloaded(options?: CallOptions): Promise<readonly DownloadedModel[]>;
  /** Lists what is loaded, LLMs and embedding models, with load configuration and activity. */
  listResidents(options?: CallOptions): Promise<readonly ResidentInstance[]>;
  /** Validates a key against what is downloaded; with suggestions when it is unknown. */
  findModel(modelKey: string, options?: CallOptions): Promise<ModelMatch>;
  /** Everything about one downloaded model. Throws `MODEL_NOT_FOUND` with suggestions. */
  modelInfo(modelKey: string, options?: CallOptions): Promise<ModelDetails>;
  /**
   * LM Studio's own estimate and guardrail verdict; `null` where it cannot estimate, or will not for this model.
   * Throws `MODEL_NOT_FOUND`, and `LOAD_REFUSED` for a configuration that LM Studio does not have.
   */
  estimate(
    modelKey: string,
    loadConfig: LoadConfig,
    options?: EstimateOptions,
  ): Promise<ResourceEstimate | null>;
  /** Memory and devices of the machine LM Studio runs on; totals only. */
  surveyHardware(options?: CallOptions): Promise<HardwareSurvey | null>;
  /** The engine in use for each model format. */
  selectedEngines(options?: CallOptions): Promise<readonly SelectedEngine[] | null>;
  /** Machines linked by LM Link. */
  devices(options?: CallOptions): Promise<LinkedDevices | null>;

  /**
   * Loads a model, one at a time per device, and verifies what came out. A resident that is already
   * as asked is reused; equal requests share one load. Cancelled or timed out, it leaves nothing
   * resident (or says `uncertain`, when LM Studio could not be asked, and the next load cleans up).
   * Throws `MODEL_NOT_FOUND`, `LOAD_REFUSED`, `LOAD_FAILED`, `LOAD_TIMED_OUT`.
   */
  load(request: LoadRequest): Promise<LoadResult>;
  /** Loads the first request that succeeds. Throws `LOAD_FAILED` with all `failures` when none does. */
  loadFirst(requests: readonly LoadRequest[]): Promise<LoadFirstResult>;
  /** Unloads one instance. Throws `INSTANCE_NOT_FOUND`. */
  unload(instanceIdentifier: string, options?: CallOptions): Promise<void>;
  /** Generates a short text with a loaded LLM. Throws `INSTANCE_NOT_FOUND`. */
  generate(request: GenerateRequest): Promise<Generation>;
  /** Fills a micro-batch of a loaded model, so that its memory can be measured. */
  warmUp(instanceIdentifier: string, options?: WarmUpOptions): Promise<WarmUp>;
  /** Cancels what is open and closes every socket. May be called more than once. */
  close(): Promise<void>;
}
