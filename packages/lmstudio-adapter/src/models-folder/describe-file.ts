import path from 'node:path';

import { type FileGroup, type FolderFile, wordsOf } from './group-files.js';
import { keyOfFile, looksLikeEmbedding, parametersIn, quantizationIn } from './model-key.js';
import type { FolderLayout } from './scan-options.js';
import type { ScannedModel } from './scanned-model.js';

/** A file group with its projector, and whether its repository has no other model. */
export interface FoundModel {
  readonly group: FileGroup;
  readonly projector: FolderFile | null;
  readonly onlyOne: boolean;
}

/** The folder that is scanned. */
interface ScannedFolder {
  readonly root: string;
  readonly layout: FolderLayout;
  /** LM Studio's own keys by repository. */
  readonly catalogue: ReadonlyMap<string, string>;
}

/** Describes the files of a model from their names and sizes. */
export function describeFile(
  { group, projector, onlyOne }: FoundModel,
  { root, layout, catalogue }: ScannedFolder,
): ScannedModel {
  const { publisher, repository, fileName } = placeOf(group, layout);
  const quantization = quantizationIn(fileName) ?? quantizationIn(repository);
  const embedding = looksLikeEmbedding(group.path);
  const catalogued = catalogue.get(`${publisher}/${repository}`.toLowerCase());
  const ownKey = keyOfFile(repository, quantization?.name ?? null, { embedding, onlyOne });
  const suffix = ownKey.includes('@') ? ownKey.slice(ownKey.indexOf('@')) : '';
  const bytes = (files: readonly FolderFile[]): number =>
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    modelKey: catalogued === undefined ? ownKey : `${catalogued}${suffix}`,
    kind: embedding ? 'embedding' : 'llm',
    displayName: repository.replace(/[-_.]gguf$/i, '').replace(/[-_]+/g, ' '),
    publisher: publisher === '' ? null : publisher,
    architecture: null,
    format: group.format,
    quantization,
    sizeBytes: bytes(group.files) + (projector?.sizeBytes ?? 0),
    parameters: parametersIn(repository) ?? parametersIn(fileName),
    maxContextLengthTokens: null,
    vision: projector !== null,
    toolUse: false,
    reasoning: null,
    variants: [],
    selectedVariant: null,
    path: group.path,
    deviceIdentifier: null,
    filePath: path.join(root, group.path),
    files: group.files.map((file) => path.join(root, file.path)),
    projectorPath: projector === null ? null : path.join(root, projector.path),
  };
}

/**
 * The folder of a file's repository. Uploaders put each quantization in a folder of its own (Michael-A-Kuykendall/shimmy #170,
 * mikjee/warpdrv #7), which has no name of its own for a model.
 */
export function repositoryFolderOf(group: FileGroup, layout: FolderLayout): string {
  return placeOf(group, layout).folder;
}

interface Place {
  /** The folder of the model, or the file's own where no folder is named like it. */
  readonly folder: string;
  /** Empty where the path does not name a publisher. */
  readonly publisher: string;
  /** The folder of the model, or the name of a file that has no folder of its own. */
  readonly repository: string;
  readonly fileName: string;
}

/**
 * Reads `publisher/repository/file`. One more folder may hold the parts of a split file, or one number type. Above the publisher
 * may be the user's own folders, which LM Studio reads too (lmstudio-bug-tracker #1316). Where no folder is named like the file,
 * the file's name replaces the repository.
 */
function placeOf({ path: file, format }: FileGroup, layout: FolderLayout): Place {
  const parts = file.split('/');
  const fileName = parts.at(-1) ?? file;
  // The path of an MLX model is its folder.
  const folders = format === 'mlx' ? parts : parts.slice(0, -1);
  const stem = fileName.replace(/\.gguf$/i, '');
  const at = format === 'mlx' ? -1 : repositoryAt(folders, stem, layout);
  const repository = folders.at(at) ?? '';
  const isNamed = folders.length === 2 || format === 'mlx' || sharedWords(repository, stem) > 0;
  return {
    folder: (isNamed && at === -2 ? folders.slice(0, -1) : folders).join('/'),
    publisher: (folders.length < 2 ? folders[0] : folders.at(at - 1)) ?? '',
    repository: folders.length > 1 && isNamed ? repository : stem,
    fileName,
  };
}

/** Position of the model's folder from the end: the file's own folder, or the folder above it. */
function repositoryAt(folders: readonly string[], stem: string, layout: FolderLayout): -1 | -2 {
  const [above = '', own = ''] = folders.slice(-2);
  const isPart = namesOnlyQuantization(own, above, stem) && sharedWords(above, stem) > 0;
  // Of two folders in LM Studio's layout, the first is the publisher.
  if (folders.length < 3) return isPart && folders.length === 2 && layout === 'free' ? -2 : -1;
  return isPart || sharedWords(own, stem) <= sharedWords(above, stem) ? -2 : -1;
}

/**
 * Whether a folder has a quantization in its name, and no other word of the file's name that the folder above lacks. In
 * `mistral/mistral-7b-Q4_K_M`, the folder above holds several models.
 */
function namesOnlyQuantization(own: string, above: string, stem: string): boolean {
  const quantization = quantizationIn(own);
  if (quantization === null) return false;
  const known = [...wordsOf(above), ...wordsOf(quantization.name)];
  const words = wordsOf(stem);
  return wordsOf(own).every((word) => known.includes(word) || !words.includes(word));
}

function sharedWords(folder: string, stem: string): number {
  const words = wordsOf(stem);
  return wordsOf(folder).filter((word) => words.includes(word)).length;
}
