import path from 'node:path';
import { listProjectors, type ScannedModel, type UnusableFile } from '@mai/lmstudio-adapter';
import { isModelFileError } from '@mai/memory-estimator';
import type { EngineRefusal } from '@mai/selector';
import type { FactsReader } from './judge-file.js';

/**
 * Why LM Studio fails to load a model: every projector beside it is for a model of another width. LM Studio loads one of them with the
 * model, and its engine then ends the load (lmstudio-bug-tracker #1665). Null where a projector may fit.
 */
export async function misfitProjector(
  modelFile: string,
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<EngineRefusal | null> {
  const takes = (await readFacts(modelFile, signal)).width;
  if (takes === null) return null;
  let misfit: EngineRefusal | null = null;
  for (const projector of await listProjectors(modelFile)) {
    const gives = await widthOf(projector, readFacts, signal);
    if (gives === null || gives === takes) return null;
    misfit ??= {
      code: 'PROJECTOR_WIDTH',
      reason: `the projector ${path.basename(projector)} beside it is for another model (it gives vectors of ${gives} numbers, and this model takes ${takes}), so LM Studio cannot load them together`,
    };
  }
  return misfit;
}

/** The models that LM Studio cannot load with the projectors beside them, each with its fault. */
export async function misfitsIn(
  models: readonly ScannedModel[],
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<ScannedModel, UnusableFile>> {
  const misfits = new Map<ScannedModel, UnusableFile>();
  for (const model of models) {
    // LM Studio gives no projector to an embedding model.
    if (model.format !== 'gguf' || model.kind !== 'llm' || model.projectorPath === null) continue;
    const { filePath, modelKey } = model;
    const misfit = await misfitProjector(filePath, readFacts, signal);
    if (misfit === null) continue;
    const { code, reason: why } = misfit;
    misfits.set(model, { path: model.path ?? filePath, filePath, modelKey, code, why });
  }
  return misfits;
}

async function widthOf(
  projector: string,
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    return (await readFacts(projector, signal)).width;
  } catch (error) {
    if (isModelFileError(error)) return null;
    throw error;
  }
}
