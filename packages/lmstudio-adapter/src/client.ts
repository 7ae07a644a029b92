import { type ServerAddress, parseBaseUrl } from './base-url.js';
import { detectCapabilities, type ModelCapability } from './calls/capabilities.js';
import { findModel, type ModelMatch } from './calls/find-model.js';
import {
  generate,
  type GenerateRequest,
  type Generation,
  type WarmUp,
  warmUp,
} from './calls/generate.js';
import {
  estimate,
  type HardwareSurvey,
  linkedDevices,
  type LinkedDevices,
  type LMStudioVersion,
  readVersion,
  type ResourceEstimate,
  type SelectedEngine,
  selectedEngines,
  surveyHardware,
} from './calls/inspect.js';
import { listDownloaded, listResidents, listVariants } from './calls/list-models.js';
import { budgetOf, type Connection, inCallersTerms, translated } from './connection.js';
import { credentialsOf } from './credentials.js';
import { explain } from './discovery/diagnose.js';
import { discover } from './discovery/discover.js';
import { findLMStudioHome, type HomeLookup } from './discovery/lmstudio-home.js';
import { LMStudioError } from './errors.js';
import { type HostFacts, hostFacts } from './host/host-facts.js';
import { LoadCoordinator } from './load/load-coordinator.js';
import { loadFailure, modelNotFound } from './load/load-failure.js';
import { loadFirst } from './load/load-first.js';
import { loadOnce } from './load/load-once.js';
import type { LoadFirstResult, LoadRequest, LoadResult } from './load/load-types.js';
import { instanceNotFound, unload } from './load/unload.js';
import type {
  CallOptions,
  DownloadedModel,
  LoadConfig,
  ModelKind,
  ResidentInstance,
} from './model-types.js';
import { realTimers, type Timers } from './timers.js';
import { isCallFault } from './wire/call-fault.js';
import { SessionPool } from './wire/session-pool.js';
import type { OpenWire } from './wire/wire.js';

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
   * LM Studio's own estimate and guardrail verdict; `null` where it cannot estimate.
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

/** What tests replace. */
export interface ClientSeams {
  readonly timers: Timers;
  readonly loadWire: () => Promise<OpenWire>;
}

const REAL_SEAMS: ClientSeams = {
  timers: realTimers,
  // The SDK is large: it is loaded by the first call that needs it.
  loadWire: async () => (await import('./sdk-door.js')).openSdkWire,
};

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Finds LM Studio (the given address, or discovery on loopback), checks that it answers and lets
 * this client in, and returns a client.
 * @throws LMStudioError `UNREACHABLE` (with `state` and what to do), `UNAUTHORIZED`, `INCOMPATIBLE`,
 * `TIMED_OUT`; TypeError when `baseUrl` is malformed; the signal's reason when cancelled.
 */
export async function connect(options: ConnectOptions = {}): Promise<LMStudioClient> {
  return connectThrough(REAL_SEAMS, options);
}

/** `connect` over replaceable parts. */
export async function connectThrough(
  seams: ClientSeams,
  options: ConnectOptions,
): Promise<LMStudioClient> {
  options.signal?.throwIfAborted();
  const credentials = credentialsOf({ ...options, env: options.env ?? process.env });
  const address = await locate(options);
  const pool = new SessionPool({
    webSocketUrl: address.webSocketUrl,
    credentials,
    timers: seams.timers,
    loadWire: seams.loadWire,
  });
  const connection: Connection = {
    address,
    pool,
    timers: seams.timers,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    bearerToken: 'apiToken' in credentials ? credentials.apiToken : null,
  };
  try {
    const [connectedVersion, host] = await Promise.all([
      readVersion(connection, budgetOf(connection, options)),
      hostFacts(address.webSocketUrl),
    ]);
    return clientOf(connection, connectedVersion, host);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function locate(options: ConnectOptions): Promise<ServerAddress> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // A given address may be far away or busy; on loopback something answers at once or nothing does.
  const discovery = {
    ...options,
    timeoutMs: options.baseUrl === undefined ? Math.min(timeoutMs, 1000) : timeoutMs,
  };
  const { baseUrl, probes } = await discover(discovery);
  if (baseUrl !== null) return parseBaseUrl(baseUrl);
  const { state, message } = await explain(
    null,
    probes,
    await findLMStudioHome(options),
    discovery,
  );
  const code =
    state === 'unauthorized'
      ? 'UNAUTHORIZED'
      : state === 'something-else'
        ? 'INCOMPATIBLE'
        : 'UNREACHABLE';
  const asked = options.baseUrl === undefined ? null : parseBaseUrl(options.baseUrl).webSocketUrl;
  throw new LMStudioError(code, message, { baseUrl: asked, state });
}

function clientOf(
  connection: Connection,
  connectedVersion: LMStudioVersion,
  host: HostFacts,
): LMStudioClient {
  const budget = (options: CallOptions | undefined) => budgetOf(connection, options);
  const coordinator = new LoadCoordinator(connection, (load, doubtful, signal, onProgress) =>
    loadOnce(connection, load, doubtful, signal, onProgress),
  );
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= coordinator
      .cancelAll(new LMStudioError('UNREACHABLE', 'The client was closed. Connect again.'))
      .then(() => connection.pool.close());
    return closing;
  };
  const load = (request: LoadRequest): Promise<LoadResult> => coordinator.load(request);

  return {
    baseUrl: connection.address.webSocketUrl,
    host,
    connectedVersion,
    version: (options) => readVersion(connection, budget(options)),
    listDownloaded: (options) => listDownloaded(connection, budget(options)),
    listResidents: (options) => listResidents(connection, budget(options), 'full'),
    findModel: async (modelKey, options) =>
      findModel(modelKey, await listDownloaded(connection, budget(options))),
    modelInfo: (modelKey, options) => modelInfo(connection, modelKey, options),
    estimate: (modelKey, loadConfig, options) =>
      estimateModel(connection, modelKey, loadConfig, options ?? {}),
    surveyHardware: (options) => surveyHardware(connection, budget(options)),
    selectedEngines: (options) => selectedEngines(connection, budget(options)),
    devices: (options) => linkedDevices(connection, budget(options)),
    load,
    loadFirst: (requests) => loadFirst(load, requests),
    unload: (instanceIdentifier, options) =>
      unload(connection, instanceIdentifier, budget(options)),
    generate: (request) => generate(connection, request),
    warmUp: async (instanceIdentifier, options = {}) => {
      const residents = await listResidents(connection, budget(undefined), 'listing');
      const resident = residents.find((one) => one.instanceIdentifier === instanceIdentifier);
      if (resident === undefined) throw instanceNotFound(instanceIdentifier, residents);
      return warmUp(connection, resident, options.promptTokens ?? 512, options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function modelInfo(
  connection: Connection,
  modelKey: string,
  options: CallOptions | undefined,
): Promise<ModelDetails> {
  const budget = budgetOf(connection, options);
  const [downloaded, residents] = await Promise.all([
    listDownloaded(connection, budget),
    listResidents(connection, budget, 'full'),
  ]);
  const { model } = findModel(modelKey, downloaded);
  if (model === null) throw modelNotFound(modelKey, downloaded);
  const variants =
    model.variants.length === 0 ? [] : await listVariants(connection, model.modelKey, budget);
  return {
    model,
    capabilities: detectCapabilities(model),
    variants,
    residents: residents.filter((resident) => resident.modelKey === model.modelKey),
  };
}

async function estimateModel(
  connection: Connection,
  modelKey: string,
  loadConfig: LoadConfig,
  options: EstimateOptions,
): Promise<ResourceEstimate | null> {
  const budget = budgetOf(connection, options);
  const downloaded = options.kind === undefined ? await listDownloaded(connection, budget) : null;
  const kind =
    options.kind ??
    (downloaded === null ? null : findModel(modelKey, downloaded).model?.kind) ??
    'llm';
  const subject = {
    kind,
    modelKey,
    loadConfig,
    keepModelInMemory: options.keepModelInMemory ?? null,
    deviceIdentifier: options.deviceIdentifier,
  };
  return translated(connection, `estimate ${modelKey}`, async () => {
    try {
      return await estimate(connection, subject, budget);
    } catch (error) {
      if (!isCallFault(error, 'answered')) throw error;
      const failure = loadFailure(
        error,
        connection,
        { modelKey, identifier: modelKey },
        downloaded,
      );
      if (failure instanceof LMStudioError && failure.code === 'MODEL_NOT_FOUND') throw failure;
      throw inCallersTerms(error, connection, `estimate ${modelKey}`, { modelKey });
    }
  });
}
