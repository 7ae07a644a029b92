import type { KvCacheType } from '@mai/memory-ledger';
import type { LogEvent } from '../engine-log/engine-event.js';

/** The purpose of a model: text generation or embeddings. LM Studio has a namespace for each. */
export type ModelKind = 'llm' | 'embedding';

/** The WebSocket namespaces that this package uses. */
export type Namespace = 'system' | 'llm' | 'embedding' | 'runtime' | 'repository' | 'diagnostics';

/** The calls that this package uses, under the protocol's own names. */
export type Endpoint =
  | 'version'
  | 'listDownloadedModels'
  | 'listDownloadedModelVariants'
  | 'listLoaded'
  | 'getModelInfo'
  | 'getLoadConfig'
  | 'getInstanceProcessingState'
  | 'estimateModelUsage'
  | 'loadModel'
  | 'unloadModel'
  | 'predict'
  | 'embedString'
  | 'surveyHardware'
  | 'getEngineSelections'
  | 'lmLinkStatus';

/** The full name of a call. */
export type CallName = `${Namespace}.${Endpoint}`;

export interface RawModelInfo {
  readonly type: ModelKind;
  readonly modelKey: string;
  readonly format: string;
  readonly displayName: string;
  readonly publisher: string | null;
  /** For a model of LM Studio's hub: its model key. */
  readonly path: string | null;
  /** For a variant: the model key, `@` and the path below the models folder. */
  readonly indexedModelIdentifier: string | null;
  /** 0: not reported. */
  readonly sizeBytes: number;
  readonly deviceIdentifier: string | null;
  readonly paramsString: string | null;
  readonly architecture: string | null;
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  readonly variants: readonly string[];
  readonly selectedVariant: string | null;
  /** May be 0. */
  readonly maxContextLength: number | null;
  readonly vision: boolean;
  readonly trainedForToolUse: boolean;
}

/** A list of models, and the entries that could not be read or are of another kind. */
export interface RawListing {
  readonly models: readonly RawModelInfo[];
  readonly leftOut: readonly { readonly modelKey: string | null; readonly type: string | null }[];
}

export interface RawInstanceInfo extends RawModelInfo {
  readonly identifier: string;
  readonly instanceReference: string;
  readonly ttlMs: number | null;
  readonly lastUsedTime: number | null;
  readonly contextLength: number | null;
}

/** An entry of the list of loaded models. */
export interface RawLoadedEntry {
  readonly instanceReference: string;
  /** The facts that the list itself has; absent where it has none. */
  readonly info?: RawInstanceInfo | undefined;
}

/** One field of a load configuration as LM Studio stores it. */
export interface RawConfigField {
  readonly key: string;
  readonly value?: unknown;
}

export interface RawProcessingState {
  readonly status: string;
  readonly queued: number;
}

export interface RawEstimate {
  readonly memory: {
    readonly confidence: 'high' | 'low';
    readonly modelVramBytes: number;
    readonly contextVramBytes: number;
    readonly totalVramBytes: number;
    readonly modelBytes: number;
    readonly contextBytes: number;
    readonly totalBytes: number;
  };
  readonly passesGuardrails: boolean;
}

export interface RawSurveyedGpu {
  readonly deviceId: number;
  readonly name: string;
  readonly integrationType: string;
  readonly detectionPlatform: string;
  readonly dedicatedMemoryCapacityBytes: number;
  readonly totalMemoryCapacityBytes: number;
}

/** A result of one part of a survey, e.g. `success` or `error`. */
export interface RawOutcome {
  readonly code: string;
  readonly message: string | null;
}

export interface RawSurveyEngine {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly compatibility: RawOutcome;
  readonly gpuResult: RawOutcome;
  readonly gpus: readonly RawSurveyedGpu[];
  readonly cpuResult: RawOutcome;
  readonly cpu: {
    readonly name: string | null;
    readonly architecture: string;
    readonly instructionSets: readonly string[];
  } | null;
  /** 0: not reported. */
  readonly ramCapacity: number;
  readonly vramCapacity: number;
}

export interface RawSurvey {
  /** `ok` or `noCompatibleBackends`. */
  readonly status: string;
  readonly engines: readonly RawSurveyEngine[];
}

export interface RawLinkStatus {
  readonly status: string;
  readonly issues: readonly string[];
  readonly peers: readonly {
    readonly deviceIdentifier: string;
    readonly deviceName: string;
    readonly status: string;
  }[];
  readonly deviceIdentifier: string | null;
  readonly deviceName: string;
  readonly preferredDeviceIdentifier?: string | undefined;
}

/** A load configuration in the SDK's public spelling. Fields without a value are absent. */
export interface WireLoadConfig {
  readonly contextLength?: number;
  readonly maxParallelPredictions?: number;
  readonly flashAttention?: boolean;
  readonly keepModelInMemory?: boolean;
  readonly llamaKCacheQuantizationType?: WireKvCacheType;
  readonly llamaVCacheQuantizationType?: WireKvCacheType;
  readonly gpu?: { readonly ratio?: number; readonly numCpuExpertLayersRatio?: number };
}

/** The KV cache types that LM Studio offers. */
export type WireKvCacheType = Exclude<KvCacheType, 'bf16'>;

export interface WireLoadRequest {
  readonly modelKey: string;
  readonly identifier: string;
  /** Integer milliseconds of at least 1; `null`: no TTL. */
  readonly ttlMs: number | null;
  readonly config: WireLoadConfig;
  /** `null`: LM Studio's own machine. */
  readonly deviceIdentifier: string | null;
  /** Belongs to this load alone, and is never aborted after the load has settled. */
  readonly signal: AbortSignal;
  readonly onProgress: (ratio: number) => void;
}

export interface WirePredictRequest {
  readonly identifier: string;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number | null;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}

export interface RawPrediction {
  readonly text: string;
  readonly stopReason: string;
  readonly promptTokens: number | null;
  readonly predictedTokens: number | null;
  readonly tokensPerSecond: number | null;
  readonly timeToFirstTokenSec: number | null;
}

/**
 * LM Studio's WebSocket protocol without deadlines, retries or error classes. Its promises may
 * stay pending forever, so `Session` gives each call a deadline.
 */
export interface Wire {
  version(): Promise<{ readonly version: string; readonly build: number }>;
  listDownloadedModels(): Promise<RawListing>;
  listDownloadedModelVariants(modelKey: string): Promise<RawListing>;
  listLoaded(kind: ModelKind): Promise<readonly RawLoadedEntry[]>;
  getModelInfo(kind: ModelKind, instanceReference: string): Promise<RawInstanceInfo | undefined>;
  getLoadConfig(kind: ModelKind, instanceReference: string): Promise<readonly RawConfigField[]>;
  getInstanceProcessingState(
    kind: ModelKind,
    instanceReference: string,
  ): Promise<RawProcessingState>;
  estimateModelUsage(
    kind: ModelKind,
    modelKey: string,
    config: WireLoadConfig,
    deviceIdentifier: string | null,
  ): Promise<RawEstimate>;
  /** Resolves with the instance reference of the loaded copy. */
  loadModel(kind: ModelKind, request: WireLoadRequest): Promise<string>;
  unloadModel(kind: ModelKind, identifier: string, deviceIdentifier: string | null): Promise<void>;
  predict(request: WirePredictRequest): Promise<RawPrediction>;
  embedString(identifier: string, text: string): Promise<number>;
  surveyHardware(): Promise<RawSurvey>;
  getEngineSelections(): Promise<
    ReadonlyMap<string, { readonly name: string; readonly version: string }>
  >;
  lmLinkStatus(): Promise<RawLinkStatus>;
  /** Streams the logs of the engines until the wire is closed. Prompts and answers are dropped. */
  streamEngineLogs(onEvent: (event: LogEvent) => void): void;

  /** Whether the namespace's socket is open and authenticated; `null`: the SDK does not say. */
  isConnected(namespace: Namespace): boolean | null;
  /** Resolves when every open call and channel has been answered. That may never happen. */
  settled(): Promise<void>;
  /** Closes all sockets. Never hangs and never rejects. May be called more than once. */
  close(): Promise<void>;
}

export interface WireOptions {
  readonly webSocketUrl: string;
  readonly credentials: Credentials;
  /** LM Studio or the SDK reported a message that it could not interpret. */
  readonly onCommunicationWarning: (namespace: Namespace | null, text: string) => void;
  /** A socket broke, with or without open calls. */
  readonly onDisconnected: () => void;
}

/** An API token, or the name and pass key of an anonymous client. */
export type Credentials =
  | { readonly apiToken: string }
  | { readonly clientIdentifier: string; readonly clientPasskey: string };

export type OpenWire = (options: WireOptions) => Wire;
