import type { EstimateQuestion } from '@mai/autopilot';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { MlxEstimate } from '@mai/memory-estimator';
import { estimateMlx } from '@mai/memory-estimator';
import { mlxEnvironmentFor, type LoadEngine } from '../engine/load-engine.js';
import type { ModelFiles } from '../model-files/model-files.js';
import { readMlx, type MlxModels } from '../model-files/read-mlx.js';

/** The footprint of an MLX model from its files; null for any other model, and where its files cannot be read. */
export async function fromMlx(
  { loadConfig, resources }: EstimateQuestion,
  model: DownloadedModel | null,
  files: ModelFiles | null,
  engine: LoadEngine,
  models: MlxModels,
): Promise<MlxEstimate | null> {
  const mlx = await readMlx(model, files, models);
  return mlx && estimateMlx(mlx, loadConfig, mlxEnvironmentFor(resources, engine));
}
