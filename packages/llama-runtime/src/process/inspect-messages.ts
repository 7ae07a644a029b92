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

/** Asks an inspecting process for its devices and for the metadata of files. The process ends after the answers. */
export interface InspectRequest {
  readonly type: 'inspect';
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** Answers of an inspecting process: the devices first, then each file in order. */
export type FromInspector =
  | { readonly type: 'devices'; readonly devices: readonly EngineDevice[] }
  /** `metadata` is `null` for a file that llama.cpp cannot read. */
  | { readonly type: 'file'; readonly file: string; readonly metadata: GgufMetadata | null };
