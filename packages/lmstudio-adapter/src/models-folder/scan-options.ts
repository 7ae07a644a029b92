import type { FileJudgement } from './group-files.js';

/** Options of a scan. */
export interface ScanOptions {
  /** LM Studio's folder. Its catalogue then supplies LM Studio's own keys (`owner/name`). */
  readonly home?: string | null | undefined;
  /**
   * Judges a GGUF file, or the folder of an MLX model, by its absolute path. Not called for files with missing parts. A file
   * named `mmproj` is a projector or unusable, never a model; where this function says that it is a model, it is also listed as
   * unusable, with the code `NAMED_PROJECTOR`. Without this function, every other file is a model.
   */
  readonly judge?: ((file: string, format: 'gguf' | 'mlx') => Promise<FileJudgement>) | undefined;
  /**
   * How the folder is arranged. A model without a projector in its folder gets one as its layout says:
   *
   * - `lmstudio` (default): publisher/repository/file. No projector of a folder above, as in LM Studio.
   * - `free`: as the user likes, also without publishers. The projector of the model's repository.
   * - `snapshot`: the folder is one repository. The projector of the nearest folder above, as in llama.cpp.
   */
  readonly layout?: FolderLayout | undefined;
  /**
   * Levels of folders, the models folder included, at least 1. Default 8: publisher/repository/file, one more level for split files in
   * a folder of their own, and four for folders above the publisher, which LM Studio reads too (lmstudio-bug-tracker #1316).
   * How deep LM Studio reads is not known.
   */
  readonly maxDepth?: number | undefined;
  /** Entries of all folders together, at least 1. Default 100,000. */
  readonly maxEntries?: number | undefined;
  /** Cancels the scan. */
  readonly signal?: AbortSignal | undefined;
}

/** An arrangement of a folder of models. */
export type FolderLayout = 'lmstudio' | 'free' | 'snapshot';
