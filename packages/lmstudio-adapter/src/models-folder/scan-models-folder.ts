import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkRange } from '@mai/memory-ledger';

import type { DownloadedModel } from '../models/model-types.js';
import { readCatalogue } from './catalogue.js';
import {
  closestProjector,
  type FileGroup,
  type FileJudgement,
  type FolderFile,
  groupFiles,
  judgeByName,
  nameOf,
} from './group-files.js';
import { describeFile, type FoundModel, repositoryFolderOf } from './describe-file.js';
import { quantizationIn } from './model-key.js';
import { type UnreadablePath, walkModelsFolder } from './walk-models-folder.js';
import type { ScannedModel } from './scanned-model.js';
import type { ScanOptions } from './scan-options.js';

/** Files in the models folder that are not a model. */
export interface UnusableFile {
  /** Relative to the models folder, with forward slashes: the first file, or the folder of an MLX model. */
  readonly path: string;
  /** Absolute path of `path`. */
  readonly filePath: string;
  /** The key that the file would have as a model; `null`: a model has this key already. */
  readonly modelKey: string | null;
  /** `INCOMPLETE` where parts are missing, `CUT` where parts must be joined, else the code of `ScanOptions.judge`. */
  readonly code: string;
  /** A clause about the file, such as 'it is a LoRA adapter, not a model'. */
  readonly why: string;
}

/** The outcome of a scan. */
export interface ModelsFolderScan {
  /** `false`: the folder does not exist, for example because its drive is not mounted. */
  readonly found: boolean;
  /** Sorted by model key. Each key occurs once. */
  readonly models: readonly ScannedModel[];
  /** Files that are not a complete model, sorted by path. */
  readonly unusable: readonly UnusableFile[];
  /** Files and folders that could not be read, sorted by path. */
  readonly unreadable: readonly UnreadablePath[];
}

/**
 * Lists the models in a models folder (`publisher/repository/file`) from names and sizes. This function opens no
 * file, but `judge` may. The parts of a split file are one model, a projector belongs to its model, and an MLX
 * folder is one model. Keys follow LM Studio's catalogue where `home` is given and has the repository, and
 * otherwise the rule of `keyOfFile`. Files that are not models take no key. Where several models would get the same
 * key, the first by path keeps the key, and each other model gets its path as its key. LM Studio accepts such keys,
 * too.
 *
 * @throws the signal's reason when cancelled; RangeError for bounds below 1.
 */
export async function scanModelsFolder(
  modelsFolder: string,
  options: ScanOptions = {},
): Promise<ModelsFolderScan> {
  const { signal, judge, maxDepth = 1, maxEntries = 1, layout = 'lmstudio' } = options;
  checkRange('maxDepth', maxDepth, 1);
  checkRange('maxEntries', maxEntries, 1);
  const [{ found, folders, unreadable }, catalogue] = await Promise.all([
    walkModelsFolder(modelsFolder, signal, options),
    options.home == null ? new Map<string, string>() : readCatalogue(options.home),
  ]);
  const judgeGroup = async (group: FileGroup): Promise<JudgedGroup> => {
    const byName = judgeByName(group);
    if (byName.kind === 'unusable' || judge === undefined) return { group, judgement: byName };
    const judged = await judge(path.join(modelsFolder, group.path), group.format);
    // A file that is named as a projector is never a model, as in LM Studio.
    const isMisnamed = judged.kind === 'model' && byName.kind === 'projector';
    return { group, judgement: isMisnamed ? byName : judged, isMisnamed };
  };
  const judged = await Promise.all(
    folders.map(([folder, files]) => Promise.all(groupFiles(folder, files).map(judgeGroup))),
  );
  const judgedIn = new Map(folders.map(([folder], index) => [folder, judged[index] ?? []]));
  const projectorsUpTo = (top: string, folder: string): readonly Projector[] => {
    const own = projectorsIn(judgedIn.get(folder) ?? []);
    return own.length > 0 || folder === top || folder === ''
      ? own
      : projectorsUpTo(top, folder.slice(0, Math.max(0, folder.lastIndexOf('/'))));
  };
  const projectorsOf = (group: FileGroup, folder: string): readonly Projector[] => {
    if (layout === 'snapshot') return projectorsUpTo('', folder);
    return projectorsUpTo(layout === 'free' ? repositoryFolderOf(group, layout) : folder, folder);
  };
  signal?.throwIfAborted();
  const grouped = [...judgedIn].flatMap(([folder, groups]) =>
    modelsOf(groups, (group) => projectorsOf(group, folder)),
  );
  const repositories = grouped.map(({ group }) => repositoryFolderOf(group, layout));
  const counts = new Map<string, number>();
  for (const one of repositories) counts.set(one, (counts.get(one) ?? 0) + 1);
  const scanned = { root: modelsFolder, layout, catalogue };
  const models = withDistinctKeys(
    grouped.map((one, index) => {
      const onlyOne = counts.get(repositories[index] ?? '') === 1;
      return describeFile({ ...one, onlyOne }, scanned);
    }),
  );
  // The keys of several models in one repository end with `@` and a quantization. The key without this end also
  // names a model.
  const taken = new Set(models.flatMap(({ modelKey }) => [modelKey, modelKey.replace(/@.*$/, '')]));
  const unusable = judged.flatMap((folder) =>
    unusableIn(folder, (file) => describeFile(file, scanned), taken),
  );
  return {
    found,
    models: models.sort((a, b) => (a.modelKey < b.modelKey ? -1 : 1)),
    unusable: unusable.sort((a, b) => (a.path < b.path ? -1 : 1)),
    unreadable,
  };
}

interface JudgedGroup {
  readonly group: FileGroup;
  readonly judgement: FileJudgement;
  /** The name is that of a projector, and `judge` says that the file is a model. Default false. */
  readonly isMisnamed?: boolean;
}

const MISNAMED = {
  code: 'NAMED_PROJECTOR',
  why: 'its name contains mmproj, so it counts as a projector, but its header is that of a model',
} as const;

/**
 * The unusable files of one folder. A file gets the key that it would have as a model, unless a model or an earlier
 * file has this key. Where some names state a quantization, only files with a quantization get a key, because the
 * others are seldom models. A file that is named as a projector gets no key.
 */
function unusableIn(
  folder: readonly JudgedGroup[],
  describeOne: (file: FoundModel) => ScannedModel,
  taken: Set<string>,
): readonly UnusableFile[] {
  const groups = groupsOf(folder, 'unusable');
  const quantized = groups.filter(({ path: file }) => quantizationIn(nameOf(file)) !== null);
  const named = (quantized.length > 0 ? quantized : groups).filter(
    (group) => judgeByName(group).kind !== 'projector',
  );
  const onlyOne = named.length === 1 && groupsOf(folder, 'model').length === 0;
  return folder.flatMap(({ group, judgement, isMisnamed }): readonly UnusableFile[] => {
    const fault = isMisnamed === true ? MISNAMED : judgement;
    if (!('why' in fault)) return [];
    const { modelKey, filePath } = describeOne({ group, projector: null, onlyOne });
    const isFree = named.includes(group) && !taken.has(modelKey);
    if (isFree) taken.add(modelKey);
    const { code, why } = fault;
    return [{ path: group.path, filePath, modelKey: isFree ? modelKey : null, code, why }];
  });
}

function groupsOf(
  folder: readonly JudgedGroup[],
  kind: FileJudgement['kind'],
): readonly FileGroup[] {
  return folder.flatMap(({ group, judgement }) => (judgement.kind === kind ? group : []));
}

interface Projector {
  readonly file: FolderFile;
  readonly width: number | null;
}

function projectorsIn(folder: readonly JudgedGroup[]): readonly Projector[] {
  return folder.flatMap(({ group, judgement }) =>
    judgement.kind === 'projector'
      ? group.files.map((file) => ({ file, width: widthOf(judgement) }))
      : [],
  );
}

function widthOf(judgement: FileJudgement): number | null {
  return judgement.kind === 'unusable' ? null : (judgement.width ?? null);
}

/** The models of one folder, each with its projector. */
function modelsOf(
  folder: readonly JudgedGroup[],
  projectorsOf: (group: FileGroup) => readonly Projector[],
): readonly Omit<FoundModel, 'onlyOne'>[] {
  const models = folder.filter(({ judgement }) => judgement.kind === 'model');
  return models.map(({ group, judgement }) => {
    const own = widthOf(judgement);
    const fitting = projectorsOf(group).filter(
      ({ width }) => own === null || width === null || width === own,
    );
    return {
      group,
      projector:
        group.format === 'gguf'
          ? closestProjector(
              group.path,
              fitting.map(({ file }) => file),
            )
          : null,
    };
  });
}

/**
 * Makes the keys distinct. Where several models have the same key, the first by path keeps the key,
 * and each other model gets its path as its key.
 */
export function withDistinctKeys<Model extends DownloadedModel>(models: readonly Model[]): Model[] {
  const taken = new Set<string>();
  return [...models]
    .sort((a, b) => ((a.path ?? '') < (b.path ?? '') ? -1 : 1))
    .map((model) => {
      const modelKey = taken.has(model.modelKey) ? (model.path ?? model.modelKey) : model.modelKey;
      taken.add(modelKey);
      return modelKey === model.modelKey ? model : { ...model, modelKey };
    });
}

/**
 * Absolute path of the vision projector beside a model file; `null`: no projector, or an
 * unreadable folder. LM Studio loads the projector with the model, but does not report its path.
 *
 * @param modelFile Absolute path of a GGUF file, or of any part of a split file.
 */
export async function findProjector(modelFile: string): Promise<string | null> {
  const named = await judgeFolderOf(modelFile);
  const own = modelsOf(named, () => projectorsIn(named)).find(({ group }) =>
    group.files.some((file) => file.path === path.basename(modelFile)),
  );
  return own?.projector == null ? null : path.join(path.dirname(modelFile), own.projector.path);
}

/** Absolute paths of all files beside a model file that are named as projectors. LM Studio loads one of them. */
export async function listProjectors(modelFile: string): Promise<readonly string[]> {
  const projectors = projectorsIn(await judgeFolderOf(modelFile));
  return projectors.map(({ file }) => path.join(path.dirname(modelFile), file.path));
}

/** The files in the folder of a model file, judged by their names. */
async function judgeFolderOf(modelFile: string): Promise<readonly JudgedGroup[]> {
  const names = await readdir(path.dirname(modelFile)).catch(() => []);
  const groups = groupFiles(
    '',
    // macOS writes its attributes of a file beside it, on a drive that cannot hold them: `._NAME`. The scan of the
    // models folder passes over these names, too.
    names.filter((name) => !name.startsWith('.')).map((name) => ({ path: name, sizeBytes: 0 })),
  );
  return groups.map((group) => ({ group, judgement: judgeByName(group) }));
}
