import type {
  FileJudgement,
  ScannedModel,
  UnreadablePath,
  UnusableFile,
} from '@mai/lmstudio-adapter';

/** The programs whose models are found, and `folder` for a folder of the configuration. */
export type StoreName =
  'lmstudio' | 'ollama' | 'huggingface' | 'llama.cpp' | 'jan' | 'gpt4all' | 'folder';

/** A place of a model on this machine. */
export interface ModelSource {
  readonly store: StoreName;
  /** The name that the store's own program gives the model; for files in a folder, the path below that folder. */
  readonly name: string;
  /** Absolute path of the model's first file in this store. */
  readonly path: string;
}

/** A model on this machine that the embedded engine can load. */
export interface StoredModel extends ScannedModel {
  /** All places of the file, at least one. The first is the one that the model key comes from. */
  readonly sources: readonly ModelSource[];
}

/** A folder that was searched for the models of a store. */
export interface StoreFolder {
  readonly store: StoreName;
  readonly folder: string;
}

/** A folder that was searched, with what it has. */
export interface StorePlace {
  readonly store: StoreName;
  readonly folder: string;
  /** Number of models that have a file in this folder. */
  readonly models: number;
}

/** A model in one store, before models of several stores are compared. */
export interface StoreFinding {
  readonly source: ModelSource;
  /** The folder of the store that was searched. */
  readonly folder: string;
  readonly model: ScannedModel;
  /**
   * The Hugging Face repository of the file. Where a repository has several files, the quantization becomes part
   * of their keys. Null where it is not known.
   */
  readonly repository: string | null;
  /** SHA-256 of the first file as the store states it, in lower-case hexadecimal; null where it states none. */
  readonly sha256: string | null;
}

/** The contents of one store. */
export interface StoreScan {
  readonly findings: readonly StoreFinding[];
  readonly unusable: readonly UnusableFile[];
  readonly unreadable: readonly UnreadablePath[];
  /** The folders that were searched; those that do not exist are left out. */
  readonly folders: readonly StoreFolder[];
}

export const EMPTY_SCAN: StoreScan = { findings: [], unusable: [], unreadable: [], folders: [] };

/** Joins the scans of several folders. */
export function joinScans(scans: readonly StoreScan[]): StoreScan {
  return {
    findings: scans.flatMap(({ findings }) => findings),
    unusable: scans.flatMap(({ unusable }) => unusable),
    unreadable: scans.flatMap(({ unreadable }) => unreadable),
    folders: scans.flatMap(({ folders }) => folders),
  };
}

/** The inputs of every search of a store. */
export interface StoreSearch {
  readonly userHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly signal: AbortSignal;
  /** Judges a GGUF file by its header. */
  readonly judge: (file: string, format?: 'gguf' | 'mlx') => Promise<FileJudgement>;
}
