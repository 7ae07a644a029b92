import path from 'node:path';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { MlxModel } from '@mai/memory-estimator';
import { isModelFileError, readMlxModel } from '@mai/memory-estimator';
import { keep } from '../promises/once.js';
import type { ModelFiles } from './model-files.js';

/** MLX models by their folders, because a decision asks with every load option. Null: it cannot be read. */
export type MlxModels = Map<string, Promise<MlxModel | null>>;

/** The headers of an MLX model; null for any other model, and where its files cannot be read. */
export async function readMlx(
  model: DownloadedModel | null,
  files: ModelFiles | null,
  models: MlxModels,
): Promise<MlxModel | null> {
  const [file] = files?.files ?? [];
  if (model?.format !== 'mlx' || file === undefined) return null;
  const folder = path.dirname(file);
  return models.get(folder) ?? keep(models, folder, readMlxModel(folder).catch(withoutModelFile));
}

/** Null for a fault of the model's files: the next source is used then. */
function withoutModelFile(error: unknown): null {
  if (isModelFileError(error)) return null;
  throw error;
}
