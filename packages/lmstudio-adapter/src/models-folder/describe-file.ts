import path from 'node:path';

import { type FileGroup, type FolderFile, SPLIT, wordsOf } from './group-files.js';
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
  const { publisher, repository, fileName, isNamed } = placeOf(group, layout);
  const quantization = quantizationIn(fileName) ?? quantizationIn(repository);
  const embedding = looksLikeEmbedding(group.path);
  const catalogued = catalogue.get(`${publisher}/${repository}`.toLowerCase());
  const ownKey = keyOfFile(repository, quantization?.name ?? null, {
    embedding,
    // The name of a file contains its quantization.
    onlyOne: onlyOne || !isNamed,
  });
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
  /** Whether `repository` is the name of a folder. */
  readonly isNamed: boolean;
  readonly fileName: string;
}

/**
 * Reads `publisher/repository/file`. One more folder may hold the parts of a split file, or one number type. Above the publisher
 * may be the user's own folders, which LM Studio reads too (lmstudio-bug-tracker #1316). Where no folder is named like the file,
 * or only after its quantization, the file's name replaces the repository.
 */
function placeOf({ path: file, format }: FileGroup, layout: FolderLayout): Place {
  const parts = file.split('/');
  const fileName = parts.at(-1) ?? file;
  // The path of an MLX model is its folder.
  const folders = format === 'mlx' ? parts : parts.slice(0, -1);
  const stem = fileName.replace(SPLIT, '').replace(/\.gguf$/i, '');
  const at = format === 'mlx' ? mlxRepositoryAt(folders) : repositoryAt(folders, stem, layout);
  const repository = folders.at(at) ?? '';
  const isNamed =
    format === 'mlx' ||
    (folders.length === 2 && ownWordsOf(repository).length > 0) ||
    (folders.length > 1 && sharedWords(repository, stem) > 0);
  return {
    folder: (isNamed && at === -2 ? folders.slice(0, -1) : folders).join('/'),
    publisher: (folders.length < 2 ? folders[0] : folders.at(at - 1)) ?? '',
    repository: isNamed ? repository : stem,
    isNamed,
    fileName,
  };
}

/** Position of the model's folder from the end: the file's own folder, or the folder above it. */
function repositoryAt(folders: readonly string[], stem: string, layout: FolderLayout): -1 | -2 {
  const [above = '', own = ''] = folders.slice(-2);
  const isPart = namesOnlyQuantization(own, above, stem) && sharedWords(above, stem) > 0;
  if (folders.length === 2) {
    // Of two folders in LM Studio's layout, the first is the publisher, unless the second names no model.
    return isPart && (layout === 'free' || ownWordsOf(own).length === 0) ? -2 : -1;
  }
  if (folders.length < 2) return -1;
  return isPart || sharedWords(own, stem) <= sharedWords(above, stem) ? -2 : -1;
}

/** Position of an MLX model's folder from the end: `publisher/model/4bit` is named like its second folder. */
function mlxRepositoryAt(folders: readonly string[]): -1 | -2 {
  return folders.length > 2 && ownWordsOf(folders.at(-1) ?? '').length === 0 ? -2 : -1;
}

/**
 * Whether a folder has a quantization in its name, and no other word of the file's name that the folder above lacks. In
 * `mistral/mistral-7b-Q4_K_M`, the folder above holds several models.
 */
function namesOnlyQuantization(own: string, above: string, stem: string): boolean {
  if (quantizationIn(own) === null) return false;
  const known = wordsOf(above);
  const words = wordsOf(stem);
  return ownWordsOf(own).every((word) => known.includes(word) || !words.includes(word));
}

/** The words that a folder and a file have in common, without the quantization, which says nothing about the model. */
function sharedWords(folder: string, stem: string): number {
  const words = wordsOf(stem);
  return ownWordsOf(folder).filter((word) => words.includes(word)).length;
}

/** The words of a folder's name that are neither its quantization nor the format. */
function ownWordsOf(folder: string): readonly string[] {
  const known = ['gguf', ...wordsOf(quantizationIn(folder)?.name ?? '')];
  return wordsOf(folder).filter((word) => !known.includes(word));
}
