import { stat } from 'node:fs/promises';
import type { FileJudgement, ScannedModel, UnusableFile } from '@mai/lmstudio-adapter';
import { errorCodeOf } from '../guards.js';
import { partsOf } from '../model-files/model-files.js';
import type { StoreSearch } from './stored-model.js';

/** A model file that a store names in a manifest of its own. */
export interface NamedFile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly publisher: string | null;
  /** Absolute path of the file, or of the first part of a split file. */
  readonly filePath: string;
  /** Absolute path of its projector; null where the store names none. */
  readonly projectorPath: string | null;
}

/** A model, or the reason why the file is not one. */
export type DescribedFile =
  | { readonly kind: 'model'; readonly model: ScannedModel }
  | { readonly kind: 'unusable'; readonly file: UnusableFile };

/**
 * Judges a file that a store names, and describes it as a scan of a folder does. The header supplies the facts that
 * a file name would.
 */
export async function describeNamedFile(
  named: NamedFile,
  { judge }: Pick<StoreSearch, 'judge'>,
): Promise<DescribedFile> {
  const { modelKey, displayName, publisher, filePath } = named;
  const refuse = (code: string, why: string): DescribedFile => ({
    kind: 'unusable',
    file: { path: modelKey, filePath, modelKey, code, why },
  });
  const files = partsOf(filePath);
  const sizes = await Promise.all(files.map(sizeOf));
  const missing = sizes.find((size) => typeof size !== 'number');
  if (missing !== undefined) return refuse(...missing);
  const judgement = await judge(filePath);
  if (judgement.kind === 'projector')
    return refuse('PROJECTOR', 'it is a projector (mmproj), not a model');
  if (judgement.kind === 'unusable') return refuse(judgement.code, judgement.why);
  const projector = await projectorAt(named.projectorPath, judgement.width ?? null, judge);
  const bytes = sizes.reduce<number>((sum, size) => sum + (typeof size === 'number' ? size : 0), 0);
  return {
    kind: 'model',
    model: {
      modelKey,
      displayName,
      publisher,
      filePath,
      files,
      kind: 'llm',
      architecture: null,
      format: 'gguf',
      quantization: null,
      sizeBytes: bytes + (projector?.sizeBytes ?? 0),
      parameters: null,
      maxContextLengthTokens: null,
      vision: projector !== null,
      toolUse: false,
      reasoning: null,
      variants: [],
      selectedVariant: null,
      path: null,
      deviceIdentifier: null,
      projectorPath: projector?.path ?? null,
    },
  };
}

/** The size of a file, or why it cannot be used. Reading anything but a file, such as a named pipe, may never end. */
async function sizeOf(file: string): Promise<number | readonly [code: string, why: string]> {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : ['FILE_UNREADABLE', `${file} is not a file`];
  } catch (error) {
    const code = errorCodeOf(error) ?? 'UNKNOWN';
    return code === 'ENOENT'
      ? ['FILE_NOT_FOUND', `its file ${file} does not exist`]
      : ['FILE_UNREADABLE', `${file} cannot be read (${code})`];
  }
}

/** A projector that a store names, if the file is one and has the width of the model. */
async function projectorAt(
  file: string | null,
  modelWidth: number | null,
  judge: (file: string) => Promise<FileJudgement>,
): Promise<{ readonly path: string; readonly sizeBytes: number } | null> {
  if (file === null) return null;
  const sizeBytes = await sizeOf(file);
  if (typeof sizeBytes !== 'number') return null;
  const judgement = await judge(file);
  if (judgement.kind !== 'projector') return null;
  const width = judgement.width ?? modelWidth;
  return modelWidth === null || width === modelWidth ? { path: file, sizeBytes } : null;
}
