import path from 'node:path';
import type { EstimateQuestion } from '@mai/autopilot';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { MlxEstimate, MlxModel } from '@mai/memory-estimator';
import {
  estimateMlx,
  isModelFileError,
  mlxEnvironmentOf,
  readMlxModel,
} from '@mai/memory-estimator';
import { mlxVersionOf, type LoadEngine } from '../engine/load-engine.js';
import type { ModelFiles } from '../models/model-files.js';
import { keep } from '../once.js';

/** MLX models by their folders, because a decision asks with every load option. Null: it can't be read. */
export type MlxModels = Map<string, Promise<MlxModel | null>>;

/** The footprint of an MLX model from its files; null for any other model, and where its files can't be read. */
export async function fromMlx(
  { loadConfig, resources }: EstimateQuestion,
  model: DownloadedModel | null,
  files: ModelFiles | null,
  engine: LoadEngine,
  models: MlxModels,
): Promise<MlxEstimate | null> {
  const mlx = await readMlx(model, files, models);
  const environment = mlxEnvironmentOf(resources, engine.profile, mlxVersionOf(engine));
  return mlx && estimateMlx(mlx, loadConfig, environment);
}

/** The headers of an MLX model; null for any other model, and where its files can't be read. */
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
