import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import type { DownloadedModel } from '../models/model-types.js';
import { readCatalogue } from './catalogue.js';
import { type FileGroup, type FolderFile, groupFiles } from './group-files.js';
import { keyOfFile, looksLikeEmbedding, parametersIn, quantizationIn } from './model-key.js';

/** A model that was found on disk without LM Studio. Facts that only LM Studio or the header has are `null`. */
export interface ScannedModel extends DownloadedModel {
  /** Absolute path of the GGUF file (the first part of a split one), or of the MLX folder. */
  readonly filePath: string;
  /** Absolute paths of all weight files; the parts of a split file in order. */
  readonly files: readonly string[];
  /**
   * Absolute path of the vision projector, whose size `sizeBytes` includes; `null`: no projector.
   */
  readonly projectorPath: string | null;
  /** `false`: parts of a split model are missing, as in an unfinished download. */
  readonly complete: boolean;
}

/** Options of a scan. */
export interface ScanOptions {
  /** LM Studio's folder. Its catalogue then supplies LM Studio's own keys (`owner/name`). */
  readonly home?: string | null | undefined;
  /** Cancels the scan. */
  readonly signal?: AbortSignal | undefined;
}

/** The outcome of a scan. */
export interface ModelsFolderScan {
  /** Sorted by model key. */
  readonly models: readonly ScannedModel[];
  /** Folders that could not be read, with the system's error code. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[];
}

/**
 * Depth: publisher/repository/file, and one more level for split files in a folder of their own.
 */
const MAX_DEPTH = 4;

/**
 * Lists the models in a models folder (`publisher/repository/file`) from names and sizes: no file is
 * opened. The parts of a split file are one model, a projector belongs to its model, and an MLX folder
 * is one model. Keys follow LM Studio's catalogue where `home` is given and has the repository, and
 * otherwise the rule of `keyOfFile`. A folder that does not exist is empty; `unreadable` names those that
 * cannot be read.
 * @throws the signal's reason when cancelled.
 */
export async function scanModelsFolder(
  modelsFolder: string,
  options: ScanOptions = {},
): Promise<ModelsFolderScan> {
  const { signal } = options;
  const unreadable: { path: string; code: string }[] = [];
  const [folders, catalogue] = await Promise.all([
    collect(modelsFolder, '', 0, unreadable, signal),
    options.home == null ? new Map<string, string>() : readCatalogue(options.home),
  ]);
  const models = folders.flatMap(([folder, files]) => {
    const groups = groupFiles(folder, files);
    return groups.map((group) => describe(group, groups, modelsFolder, catalogue));
  });
  signal?.throwIfAborted();
  return {
    models: models.sort((a, b) => (a.modelKey < b.modelKey ? -1 : 1)),
    unreadable: unreadable.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

type FilesOfFolder = readonly [folder: string, files: readonly FolderFile[]];

/** Files by folder, both relative to `root` with forward slashes. All folders are read in parallel. */
async function collect(
  root: string,
  relative: string,
  depth: number,
  unreadable: { path: string; code: string }[],
  signal: AbortSignal | undefined,
): Promise<readonly FilesOfFolder[]> {
  signal?.throwIfAborted();
  const folder = path.join(root, relative);
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT') unreadable.push({ path: folder, code });
    return [];
  }
  const files: FolderFile[] = [];
  const below = await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith('.')) return [];
      const child = relative === '' ? entry.name : `${relative}/${entry.name}`;
      // Model files are often links to another drive, so links are followed.
      const target =
        entry.isFile() || entry.isSymbolicLink()
          ? await stat(path.join(root, child)).catch(() => null)
          : null;
      if (target?.isFile() === true) files.push({ path: child, sizeBytes: target.size });
      const isFolder =
        entry.isDirectory() ||
        (target?.isDirectory() === true && !(await leadsBack(folder, path.join(root, child))));
      return isFolder && depth + 1 < MAX_DEPTH
        ? collect(root, child, depth + 1, unreadable, signal)
        : [];
    }),
  );
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return files.length > 0 ? [...below.flat(), [relative, files]] : below.flat();
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : 'UNKNOWN';
}

/** Whether a link leads to its own folder or to a parent of it. Those files are listed already. */
async function leadsBack(folder: string, link: string): Promise<boolean> {
  const [here = folder, there = link] = await Promise.all(
    [folder, link].map((one) => realpath(one).catch(() => one)),
  );
  const below = path.relative(there, here);
  return below !== '..' && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below);
}

function describe(
  group: FileGroup,
  siblings: readonly FileGroup[],
  root: string,
  catalogue: ReadonlyMap<string, string>,
): ScannedModel {
  const parts = group.path.split('/');
  const [publisher = ''] = parts.length > 1 ? parts : [''];
  const fileName = parts.at(-1) ?? group.path;
  const repository = (parts.length > 2 ? parts[1] : fileName.replace(/\.gguf$/i, '')) ?? fileName;
  const quantization = quantizationIn(fileName) ?? quantizationIn(repository);
  const embedding = looksLikeEmbedding(group.path);
  const onlyOne = siblings.length === 1;
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
    sizeBytes: bytes(group.files) + (group.projector?.sizeBytes ?? 0),
    parameters: parametersIn(repository) ?? parametersIn(fileName),
    maxContextLengthTokens: null,
    vision: group.projector !== null,
    toolUse: false,
    variants: [],
    selectedVariant: null,
    path: group.path,
    deviceIdentifier: null,
    filePath: path.join(root, group.path),
    files: group.files.map((file) => path.join(root, file.path)),
    projectorPath: group.projector === null ? null : path.join(root, group.projector.path),
    complete: group.complete,
  };
}

/**
 * Absolute path of the vision projector beside a model file; `null`: no projector, or an
 * unreadable folder. LM Studio loads the projector with the model, but does not report its path.
 *
 * @param modelFile Absolute path of a GGUF file; any part of a split one.
 */
export async function findProjector(modelFile: string): Promise<string | null> {
  const folder = path.dirname(modelFile);
  const names = await readdir(folder).catch(() => []);
  const files = names.map((name) => ({ path: name, sizeBytes: 0 }));
  const own = groupFiles('', files).find((group) =>
    group.files.some((file) => file.path === path.basename(modelFile)),
  );
  return own?.projector == null ? null : path.join(folder, own.projector.path);
}
