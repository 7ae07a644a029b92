import path from 'node:path';

import type { FileGroup, FolderFile } from './group-files.js';
import { keyOfFile, looksLikeEmbedding, parametersIn, quantizationIn } from './model-key.js';
import type { ScannedModel } from './scan-models-folder.js';

/** A file group with its projector, and whether its folder has no other model. */
export interface FoundModel {
  readonly group: FileGroup;
  readonly projector: FolderFile | null;
  readonly onlyOne: boolean;
}

/** Describes the files of a model from their names and sizes. */
export function describeFile(
  { group, projector, onlyOne }: FoundModel,
  root: string,
  catalogue: ReadonlyMap<string, string>,
): ScannedModel {
  const parts = group.path.split('/');
  const [publisher = ''] = parts.length > 1 ? parts : [''];
  const fileName = parts.at(-1) ?? group.path;
  // publisher/repository/file, or one more folder for the parts of a split file. Deeper folders mean nothing.
  const isInRepository = parts.length === 3 || parts.length === 4;
  const repository = (isInRepository ? parts[1] : fileName.replace(/\.gguf$/i, '')) ?? fileName;
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
    variants: [],
    selectedVariant: null,
    path: group.path,
    deviceIdentifier: null,
    filePath: path.join(root, group.path),
    files: group.files.map((file) => path.join(root, file.path)),
    projectorPath: projector === null ? null : path.join(root, projector.path),
  };
}
