/** A graphics processor of a simulated machine. */
export interface WorldGpu {
  /** As the hardware survey names it. */
  readonly name: string;
  /** The stable key under which `memoryInUse()` reports it. Default: `survey:<index>`. */
  readonly deviceKey: string;
  /** `shared`: its memory is system memory (integrated GPU, Apple silicon); `totalBytes` is then only a cap. */
  readonly memory: 'dedicated' | 'shared';
  /** Capacity. */
  readonly totalBytes: number;
  /** What other programs hold. */
  readonly othersBytes: number;
  /** The interface through which the engine uses it. */
  readonly platform: 'CUDA' | 'ROCm' | 'Vulkan' | 'Metal';
}

/** A simulated machine: its capacities, what other programs hold of them, and its speeds. */
export interface WorldMachine {
  /** Host name, also the device name of LM Link. */
  readonly name: string;
  /** As Node names it. */
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** As the hardware survey names it. */
  readonly cpuName: string;
  /** Of the CPU. */
  readonly architecture: 'x86_64' | 'ARM64';
  /** Capacity. */
  readonly ramBytes: number;
  /** RAM that other programs hold. */
  readonly othersRamBytes: number;
  /** Empty: no GPU. */
  readonly gpus: readonly WorldGpu[];
  /** Bytes of weights read per second while loading. */
  readonly loadBytesPerSecond: number;
  /** Speed of processing a prompt, for every model. */
  readonly promptTokensPerSecond: number;
}

/** What the memory of a model depends on besides the size of its weights. */
export interface WorldModelGeometry {
  /** Transformer blocks. */
  readonly layers: number;
  /** Heads of the KV cache, in each layer. */
  readonly kvHeads: number;
  /** Length of a key, and of a value. */
  readonly headDimension: number;
  /** Embedding length. */
  readonly hiddenSize: number;
  /** Tokens in the vocabulary. */
  readonly vocabularySize: number;
  /** Layers that attend to a window only, and that window in tokens. */
  readonly slidingLayers: number;
  /** 0 where `slidingLayers` is 0. */
  readonly slidingWindowTokens: number;
  /** Share of the weights that are experts of a mixture, 0 for a dense model. */
  readonly expertRatio: number;
}

/** One quantization of a model that is on disk. */
export interface WorldVariant {
  /** The part after the `@`, such as `q4_k_m`. */
  readonly name: string;
  /** Size of the file. */
  readonly sizeBytes: number;
  /** Its precision. */
  readonly quantization: { readonly name: string; readonly bits: number };
  /** Path of the file below the models folder. */
  readonly path: string;
}

/** A downloaded model. */
export interface WorldModel {
  /** Names it on disk. */
  readonly modelKey: string;
  /** Its domain. */
  readonly type: 'llm' | 'embedding';
  /** As the app shows it. */
  readonly displayName: string;
  /** Who published the files. */
  readonly publisher: string;
  /** Path of the file below the models folder. */
  readonly path: string;
  /** Size of the weights, the projector of a vision model included. */
  readonly sizeBytes: number;
  /** `safetensors` stands for MLX. */
  readonly format: 'gguf' | 'safetensors';
  /** Null makes LM Studio's estimate one of low confidence. */
  readonly architecture: string | null;
  /** Such as `4B`. */
  readonly paramsString: string | null;
  /** Its precision. */
  readonly quantization: { readonly name: string; readonly bits: number } | null;
  /** Tokens that the model allows. */
  readonly maxContextLength: number;
  /** Whether it takes images. */
  readonly vision: boolean;
  /** Whether it calls tools. */
  readonly trainedForToolUse: boolean;
  /** Empty: the model has one file and lists no variants. The first one is selected. */
  readonly variants: readonly WorldVariant[];
  /** What its memory depends on. */
  readonly geometry: WorldModelGeometry;
  /** Speed of generating; of embedding for an embedding model. */
  readonly tokensPerSecond: number;
}

/** Another machine that is reached through LM Link. */
export interface WorldDevice {
  /** Stable, as loads name it. */
  readonly deviceIdentifier: string;
  /** As people name it. */
  readonly deviceName: string;
  /** The models of a disconnected device are not there. */
  readonly status: 'connected' | 'disconnected';
  /** Its hardware. */
  readonly machine: WorldMachine;
  /** What is on its disk. */
  readonly models: readonly WorldModel[];
}

/**
 * How LM Studio guards against overloading. The real rule is closed; this one compares its estimate
 * with the memory it believes to be free and asks for a share of the capacity to stay free.
 */
export interface WorldGuardrails {
  /** Share kept free: `low` 0, `medium` 5 %, `high` 15 %. `custom`: residents and load within `customThresholdBytes`. */
  readonly mode: 'off' | 'low' | 'medium' | 'high' | 'custom';
  /** For `custom`; null: no limit. */
  readonly customThresholdBytes: number | null;
  /** Whether residents are taken into account. */
  readonly countsResidents: boolean;
  /** RAM that others hold. */
  readonly countsOthersRam: boolean;
  /** VRAM that others hold. */
  readonly countsOthersVram: boolean;
}

/** Just-in-time loading, which `getOrLoad` does. */
export interface WorldJustInTime {
  /** Time to live of such a load. Default: an hour. */
  readonly ttlMs: number;
  /** Whether a just-in-time load unloads the earlier just-in-time models first. */
  readonly autoEvict: boolean;
}

/** Everything that the simulator plays. */
export interface World {
  /** Null: what fits the profile. */
  readonly version: string | null;
  /** Null: what fits the profile. */
  readonly build: number | null;
  /** Whether the headless daemon answers instead of the app. */
  readonly isDaemon: boolean;
  /** The machine that LM Studio runs on. */
  readonly machine: WorldMachine;
  /** What is on its disk. */
  readonly models: readonly WorldModel[];
  /** Machines behind LM Link. */
  readonly devices: readonly WorldDevice[];
  /** This machine's own identifier in LM Link; null: not logged in. */
  readonly deviceIdentifier: string | null;
  /** Where loads go that name no device. */
  readonly preferredDeviceIdentifier: string | null;
  /** API tokens, `sk-lm-<8>:<20>`. */
  readonly tokens: readonly string[];
  /** Whether anonymous clients are refused. */
  readonly requireToken: boolean;
  /** What refuses a load. */
  readonly guardrails: WorldGuardrails;
  /** What `getOrLoad` does. */
  readonly justInTime: WorldJustInTime;
  /** Context length of a load that names none, capped by the model's maximum. */
  readonly defaultContextLength: number;
  /** What becomes of a load whose client has gone: LM Studio's own answer is not known. */
  readonly loadAfterDisconnect: 'continue' | 'cancel';
}

/** A GPU as it is written in a world file: what is left out has the defaults of a discrete CUDA card. */
export type WorldGpuInput = {
  readonly [K in Exclude<keyof WorldGpu, 'name' | 'totalBytes'>]?: WorldGpu[K];
} & Pick<WorldGpu, 'name' | 'totalBytes'>;

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
  /** Stable, as loads name it. */
  readonly deviceIdentifier: string;
  /** Default: the identifier. */
  readonly deviceName?: string;
  /** Default: `connected`. */
  readonly status?: 'connected' | 'disconnected';
  /** Default: the default machine. */
  readonly machine?: WorldMachineInput;
  /** Default: none. */
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
