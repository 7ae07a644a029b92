import type { LoadConfig, ModelShape } from '@mai/memory-ledger';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import { isModelFileError, type HeaderCache } from '@mai/memory-estimator';
import type { LoadEngine } from '../engine/load-engine.js';
import { readMlx, type MlxModels } from '../model-files/read-mlx.js';
import { fromHeaders } from '../model-files/from-headers.js';
import type { ModelFiles } from '../model-files/model-files.js';
import { keep } from '../promises/once.js';
import { speedSubjectOf, type SpeedResources, type SpeedSubject } from './speed-subject.js';
import type { Speeds } from './speeds.js';

/** A load whose speed is asked for. */
export interface SpeedLoad {
  /** Null where the model is not listed. */
  readonly model: DownloadedModel | null;
  /** Null where the files are not on this machine. */
  readonly files: ModelFiles | null;
  readonly loadConfig: LoadConfig;
  readonly resources: SpeedResources;
  readonly engine: LoadEngine;
}

/** Finds what decides the speed of a load. */
export interface SubjectFinder {
  /** Null for an embedding model, and where the files of the model cannot be read here. Reads each file once. */
  readonly find: (load: SpeedLoad) => Promise<SpeedSubject | null>;
}

/** Creates a finder that keeps the shapes of the models. */
export function createSubjectFinder(
  headers: HeaderCache,
  speeds: Pick<Speeds, 'ramBandwidth'>,
  mlxModels: MlxModels = new Map(),
): SubjectFinder {
  const shapes = new Map<string, Promise<ModelShape | null>>();
  const shapeOf = (file: string): Promise<ModelShape | null> =>
    shapes.get(file) ??
    keep(
      shapes,
      file,
      headers
        .derive(file, 'shape', async (header) => (await fromHeaders()).modelShape(header))
        .catch(noShape),
    );
  return {
    find: async ({ model, files, ...load }) => {
      const [file] = files?.files ?? [];
      if (file === undefined || model?.kind === 'embedding') return null;
      const isGguf = files?.format === 'gguf';
      const shape = isGguf
        ? await shapeOf(file)
        : ((await readMlx(model, files, mlxModels))?.shape ?? null);
      if (shape === null) return null;
      const quantization =
        (isGguf ? (await files.facts())?.quantization : null) ?? model?.quantization?.name ?? null;
      return speedSubjectOf({
        ...load,
        shape,
        quantization,
        format: isGguf ? 'gguf' : 'mlx',
        // Older versions of LM Studio list models without their size.
        fileBytes: model === null || model.sizeBytes === 0 ? null : model.sizeBytes,
        ramBandwidth: speeds.ramBandwidth(),
      });
    },
  };
}

/** Null for a fault of the model's file: its speed is then not known. */
function noShape(error: unknown): null {
  if (isModelFileError(error)) return null;
  throw error;
}
