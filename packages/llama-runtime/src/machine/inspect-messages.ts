/** A device that a build of llama.cpp can use. */
export interface EngineDevice {
  /** Name of the back end: `CPU`, `CUDA`, `Vulkan`, `Metal`, ... */
  readonly backend: string;
  /** `cpu`, `gpu`, `igpu`, `accel`, ... */
  readonly type: string;
  readonly name: string;
  /** `null`: not reported. */
  readonly totalBytes: number | null;
}

/** Metadata of a GGUF file: numbers and texts. The long lists of the tokenizer are left out. */
export type GgufMetadata = Readonly<Record<string, string | number>>;

/** Asks an inspecting process for its devices and for facts about files. The process ends after the answers. */
export interface InspectRequest {
  readonly type: 'inspect';
  /** Absolute paths of the files whose metadata is wanted. */
  readonly files: readonly string[];
  /** A small model that is loaded on the CPU, because llama.cpp then says how it was built; null: not wanted. */
  readonly smallModel: string | null;
}

/** Answers of an inspecting process: the devices first, then each file in order, then the system info. */
export type FromInspector =
  | { readonly type: 'devices'; readonly devices: readonly EngineDevice[] }
  /** `metadata` is `null` for a file that llama.cpp cannot read. */
  | { readonly type: 'file'; readonly file: string; readonly metadata: GgufMetadata | null }
  /** The text of `llama_print_system_info`. */
  | { readonly type: 'system-info'; readonly systemInfo: string };
