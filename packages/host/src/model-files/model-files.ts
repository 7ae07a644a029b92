import path from 'node:path';
import type { DownloadedModel, ScannedModel } from '@mai/lmstudio-adapter';
import { findProjector } from '@mai/lmstudio-adapter';
import { isModelFileError } from '@mai/memory-estimator';
import type { HeaderFacts } from './header-facts.js';
import { keep, once } from '../promises/once.js';
import type { FactsReader } from './judge-file.js';

/** The files of a downloaded model on this machine. */
export interface ModelFiles {
  /** Absolute paths, the parts of a split model in order; at least one. Ollama's GGUF files have no `.gguf` in their names. */
  readonly files: readonly string[];
  readonly format: 'gguf' | 'mlx';
  /** Finds the file of the vision projector that LM Studio loads with the model; null where the model has no projector. */
  readonly findProjector: () => Promise<string | null>;
  /** Reads the facts of the first file's header; null for an MLX model. @throws ModelFileError */
  readonly facts: () => Promise<HeaderFacts | null>;
}

/** A downloaded model and its files. */
export interface FoundModel {
  readonly model: DownloadedModel;
  /** Null where they are not known on this machine. */
  readonly files: ModelFiles | null;
}

const GGUF_NAME = /\.gguf$/i;

/** The files of a model that LM Studio lists, in its models folder; null where LM Studio does not name them. */
export function filesIn(
  folder: string,
  { path: file, format, vision }: DownloadedModel,
  readFacts: FactsReader,
): ModelFiles | null {
  if (file !== null && format === 'mlx') {
    // For an MLX model, LM Studio names the folder and no file.
    const config = path.join(folder, file, 'config.json');
    return {
      files: [config],
      format,
      findProjector: () => Promise.resolve(null),
      facts: () => Promise.resolve(null),
    };
  }
  if (file === null || !GGUF_NAME.test(file)) return null;
  const first = path.join(folder, file);
  return {
    files: partsOf(first),
    format: 'gguf',
    // Kept, because a decision asks for the projector once per load option.
    findProjector: once(() => (vision ? findReadable(first, readFacts) : Promise.resolve(null))),
    facts: () => readFacts(first),
  };
}

/** The parts of a split file, which are numbered by llama.cpp's `llama_split_path`. */
export function partsOf(first: string): readonly string[] {
  const split = /^(.*)-00001-of-(\d{5})(\.gguf)$/i.exec(first);
  if (split === null) return [first];
  const [, stem = '', count = '', end = ''] = split;
  const parts = Number(count);
  // Other numbers are part of the name.
  if (parts < 1 || parts > 1000) return [first];
  return Array.from(
    { length: parts },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}${end}`,
  );
}

/** The projector beside a model; null where there is none, and where its header cannot be read. */
async function findReadable(model: string, readFacts: FactsReader): Promise<string | null> {
  const projector = await findProjector(model);
  if (projector === null) return null;
  try {
    await readFacts(projector);
    return projector;
  } catch (error) {
    if (isModelFileError(error)) return null;
    throw error;
  }
}

/** The files of a model that a scan found. */
export function filesOfScanned(model: ScannedModel, readFacts: FactsReader): ModelFiles {
  return {
    files: model.files,
    format: model.format === 'mlx' ? 'mlx' : 'gguf',
    findProjector: () => Promise.resolve(model.projectorPath),
    facts: () => (model.format === 'gguf' ? readFacts(model.filePath) : Promise.resolve(null)),
  };
}

/**
 * Finds models by their keys, and by the keys of their variants.
 *
 * @param usable - the models that are found by their own keys
 * @param findVariant - called once for each variant whose file is not that of its model
 * @param all - also the models whose selected file is unusable. Their other variants are found.
 */
export function finderOf(
  usable: readonly FoundModel[],
  findVariant: (variant: string, model: DownloadedModel) => Promise<FoundModel | null>,
  all: readonly FoundModel[] = usable,
): (modelKey: string) => Promise<FoundModel | null> {
  const byKey = new Map(usable.map((found) => [found.model.modelKey, found]));
  const variants = new Map<string, Promise<FoundModel | null>>();
  return (key) => {
    const named = byKey.get(key);
    if (named !== undefined) return Promise.resolve(named);
    const ofVariant = all.find(({ model }) => model.variants.includes(key));
    if (ofVariant === undefined) return Promise.resolve(null);
    if (ofVariant.model.selectedVariant === key)
      return Promise.resolve(byKey.get(ofVariant.model.modelKey) ?? null);
    return variants.get(key) ?? keep(variants, key, findVariant(key, ofVariant.model));
  };
}

/** The facts of a model's header; null for an MLX model, and where its header cannot be read here. */
export async function factsOf(files: ModelFiles | null): Promise<HeaderFacts | null> {
  return orNull(async () => (await files?.facts()) ?? null);
}

/** Null where the file is not in the folder that LM Studio's settings name. The next source is used then. */
export async function orNull<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (isModelFileError(error)) return null;
    throw error;
  }
}
