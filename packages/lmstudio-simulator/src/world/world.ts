/** A graphics processor of a simulated machine. */
export interface WorldGpu {
  readonly name: string;
  /** The stable key under which `memoryInUse()` reports it. Default: `survey:<index>`. */
  readonly deviceKey: string;
  /** `shared`: its memory is system memory (integrated GPU, Apple silicon); `totalBytes` is then only a cap. */
  readonly memory: 'dedicated' | 'shared';
  readonly totalBytes: number;
  /** What other programs hold. */
  readonly othersBytes: number;
  readonly platform: 'CUDA' | 'ROCm' | 'Vulkan' | 'Metal';
}

/** A simulated machine: its capacities, what other programs hold of them, and its speeds. */
export interface WorldMachine {
  readonly name: string;
  readonly platform: 'linux' | 'darwin' | 'win32';
  readonly cpuName: string;
  readonly architecture: 'x86_64' | 'ARM64';
  readonly ramBytes: number;
  /** RAM that other programs hold. */
  readonly othersRamBytes: number;
  readonly gpus: readonly WorldGpu[];
  /** Bytes of weights read per second while loading. */
  readonly loadBytesPerSecond: number;
  readonly promptTokensPerSecond: number;
}

/** What the memory of a model depends on besides the size of its weights. */
export interface WorldModelGeometry {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  /** Layers that attend to a window only, and that window in tokens. */
  readonly slidingLayers: number;
  readonly slidingWindowTokens: number;
  /** Share of the weights that are experts of a mixture, 0 for a dense model. */
  readonly expertRatio: number;
}

/** One quantization of a model that is on disk. */
export interface WorldVariant {
  /** The part after the `@`, such as `q4_k_m`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly quantization: { readonly name: string; readonly bits: number };
  readonly path: string;
}

/** A downloaded model. */
export interface WorldModel {
  readonly modelKey: string;
  readonly type: 'llm' | 'embedding';
  readonly displayName: string;
  readonly publisher: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly format: 'gguf' | 'safetensors';
  readonly architecture: string | null;
  readonly paramsString: string | null;
  readonly quantization: { readonly name: string; readonly bits: number } | null;
  readonly maxContextLength: number;
  readonly vision: boolean;
  readonly trainedForToolUse: boolean;
  /** Empty: the model has one file and lists no variants. The first one is selected. */
  readonly variants: readonly WorldVariant[];
  readonly geometry: WorldModelGeometry;
  readonly tokensPerSecond: number;
}

/** Another machine that is reached through LM Link. */
export interface WorldDevice {
  readonly deviceIdentifier: string;
  readonly deviceName: string;
  readonly status: 'connected' | 'disconnected';
  readonly machine: WorldMachine;
  readonly models: readonly WorldModel[];
}

/**
 * How LM Studio guards against overloading. The real rule is closed; this one compares its estimate
 * with the memory it believes to be free and asks for a share of the capacity to stay free.
 */
export interface WorldGuardrails {
  /** Share kept free: `low` 0, `medium` 5 %, `high` 15 %. `custom`: residents and load within `customThresholdBytes`. */
  readonly mode: 'off' | 'low' | 'medium' | 'high' | 'custom';
  readonly customThresholdBytes: number | null;
  /** Whether residents, the RAM of others and the VRAM of others are taken into account. */
  readonly countsResidents: boolean;
  readonly countsOthersRam: boolean;
  readonly countsOthersVram: boolean;
}

/** Just-in-time loading, which `getOrLoad` does. */
export interface WorldJustInTime {
  readonly ttlMs: number;
  /** Whether a just-in-time load unloads the earlier just-in-time models first. */
  readonly autoEvict: boolean;
}

/** Everything that the simulator plays. */
export interface World {
  /** Null: what fits the profile. */
  readonly version: string | null;
  readonly build: number | null;
  readonly isDaemon: boolean;
  readonly machine: WorldMachine;
  readonly models: readonly WorldModel[];
  readonly devices: readonly WorldDevice[];
  readonly deviceIdentifier: string | null;
  readonly preferredDeviceIdentifier: string | null;
  /** API tokens, `sk-lm-<8>:<20>`. */
  readonly tokens: readonly string[];
  /** Whether anonymous clients are refused. */
  readonly requireToken: boolean;
  readonly guardrails: WorldGuardrails;
  readonly justInTime: WorldJustInTime;
  /** Context length of a load that names none, capped by the model's maximum. */
  readonly defaultContextLength: number;
  /** What becomes of a load whose client has gone: LM Studio's own answer is not known. */
  readonly loadAfterDisconnect: 'continue' | 'cancel';
}

type Optional<T, Required extends keyof T> = { readonly [K in Required]: T[K] } & {
  readonly [K in Exclude<keyof T, Required>]?: T[K];
};

/** A GPU as it is written in a world file: what is left out has the defaults of a discrete CUDA card. */
export type WorldGpuInput = Optional<WorldGpu, 'name' | 'totalBytes'>;

/** A machine as it is written in a world file: what is left out is taken from the default machine. */
export type WorldMachineInput = {
  readonly [K in Exclude<keyof WorldMachine, 'gpus'>]?: WorldMachine[K];
} & { readonly gpus?: readonly WorldGpuInput[] };

/** A model as it is written in a world file: key and size are enough, the rest is derived from them. */
export type WorldModelInput = {
  readonly [K in Exclude<keyof WorldModel, 'modelKey' | 'sizeBytes' | 'geometry'>]?: WorldModel[K];
} & {
  readonly modelKey: string;
  readonly sizeBytes: number;
  readonly geometry?: { readonly [K in keyof WorldModelGeometry]?: WorldModelGeometry[K] };
};

/** An LM Link device as it is written in a world file. */
export interface WorldDeviceInput {
  readonly deviceIdentifier: string;
  readonly deviceName?: string;
  readonly status?: 'connected' | 'disconnected';
  readonly machine?: WorldMachineInput;
  readonly models?: readonly WorldModelInput[];
}

/** A world as it is written in a world file. Every part may be left out; unknown keys are errors. */
export type WorldInput = {
  readonly [
    K in Exclude<keyof World, 'machine' | 'models' | 'devices' | 'guardrails' | 'justInTime'>
  ]?: World[K];
} & {
  readonly machine?: WorldMachineInput;
  readonly models?: readonly WorldModelInput[];
  readonly devices?: readonly WorldDeviceInput[];
  readonly guardrails?: { readonly [K in keyof WorldGuardrails]?: WorldGuardrails[K] };
  readonly justInTime?: { readonly [K in keyof WorldJustInTime]?: WorldJustInTime[K] };
};
