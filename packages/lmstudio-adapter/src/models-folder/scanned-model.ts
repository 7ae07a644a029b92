import type { DownloadedModel } from '../models/model-types.js';

/** A model that was found on disk without LM Studio. Facts that only LM Studio or the header has are `null`. */
export interface ScannedModel extends DownloadedModel {
  /** Absolute path of the GGUF file (the first part of a split file), or of the MLX folder. */
  readonly filePath: string;
  /** Absolute paths of all weight files, with the parts of a split file in order. */
  readonly files: readonly string[];
  /** Absolute path of the vision projector; `null`: no projector. `sizeBytes` includes the size of the projector. */
  readonly projectorPath: string | null;
}
