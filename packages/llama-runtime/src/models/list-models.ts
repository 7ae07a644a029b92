import type { Inspector } from '../machine/inspect.js';
import { describeModel } from './describe-model.js';
import { findModelFiles } from './model-files.js';
import type { LocalModel, ModelListing } from './model-types.js';

/** Supplies the models on this machine. The host has such a function, which knows the stores of other programs. */
export type ListModels = (signal: AbortSignal | undefined) => Promise<readonly LocalModel[]>;

/** Where models are. */
export interface ModelSources {
  readonly list: ListModels | null;
  /** Folders that are searched for GGUF files. */
  readonly folders: readonly string[];
  readonly inspector: Inspector;
}

/**
 * Lists the models of all sources. A file that two sources name is one model. Of two models with the same key, the
 * second gets its path as its key.
 *
 * @throws the signal's reason when cancelled.
 */
export async function listModels(
  { list, folders, inspector }: ModelSources,
  signal?: AbortSignal,
): Promise<ModelListing> {
  const supplied = list === null ? [] : await list(signal);
  const found = (await Promise.all(folders.map((one) => findModelFiles(one, signal)))).flat();
  const firstFiles = found.flatMap(({ files: [first] }) => first ?? []);
  const metadata = await inspector.metadata(firstFiles, signal);
  const described = found.map((one) =>
    describeModel(one, metadata.get(one.files[0] ?? '') ?? null),
  );
  const models = [...supplied, ...described.flatMap(({ model }) => model ?? [])];
  return {
    models: withDistinctKeys(withDistinctFiles(models)),
    leftOut: described.flatMap(({ leftOut }) => leftOut ?? []),
  };
}

function withDistinctFiles(models: readonly LocalModel[]): readonly LocalModel[] {
  const seen = new Set<string | undefined>();
  return models.filter(({ files: [first] }) => {
    const isNew = !seen.has(first);
    seen.add(first);
    return isNew;
  });
}

function withDistinctKeys(models: readonly LocalModel[]): readonly LocalModel[] {
  const taken = new Set<string>();
  return models.map((model) => {
    const modelKey = taken.has(model.modelKey)
      ? (model.path ?? model.files[0] ?? model.modelKey)
      : model.modelKey;
    taken.add(modelKey);
    return modelKey === model.modelKey ? model : { ...model, modelKey };
  });
}
