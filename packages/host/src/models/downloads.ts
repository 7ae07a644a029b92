import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import type {
  DownloadedModel,
  LMStudioClient,
  LMStudioHome,
  UnreadablePath,
  UnusableFile,
} from '@mai/lmstudio-adapter';
import {
  findLMStudioHome,
  findProjector,
  scanModelsFolder,
  withDistinctKeys,
} from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import { errorCodeOf } from '../guards.js';
import type { HostContext } from '../host-options.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { withHeaderFacts } from './header-facts.js';
import { factsOf, judgeFile } from './judge-file.js';

/** The files of a downloaded model on this machine. */
export interface ModelFiles {
  /** Absolute paths, the parts of a split model in order; at least one. */
  readonly files: readonly string[];
  /** Finds the file of the vision projector that LM Studio loads with the model; null where there is none. */
  readonly findProjector: () => Promise<string | null>;
}

/** The source of a list of downloaded models. */
export type DownloadsOrigin =
  | {
      readonly kind: 'lmstudio';
      readonly baseUrl: string;
      /**
       * Number of models on other machines of LM Link. The list leaves them out, because the memory of those
       * machines can't be read from here.
       */
      readonly elsewhere: number;
    }
  /** LM Studio is off, so its models folder was read; null where no such folder was found. */
  | { readonly kind: 'models-folder'; readonly folder: string | null };

/** The source of a list of downloaded models, and the files and folders that it leaves out. */
export interface DownloadsReport {
  readonly origin: DownloadsOrigin;
  /** Files that are not models or that llama.cpp refuses, each with the reason. */
  readonly unusable: readonly UnusableFile[];
  /** Files and folders that could not be read. */
  readonly unreadable: readonly UnreadablePath[];
  /**
   * The models folder of LM Studio's settings where it does not exist, for example because its drive is not
   * mounted; null where it exists, or where LM Studio is on another machine.
   */
  readonly missingFolder: string | null;
}

/** The downloaded models of the runtime's machine. */
export interface Downloads extends DownloadsReport {
  readonly link: RuntimeLink;
  readonly models: readonly DownloadedModel[];
  /** The files of a model; null where they are not known on this machine. */
  readonly filesOf: (modelKey: string) => ModelFiles | null;
}

/** Lists the downloaded models. While LM Studio is off, reads its models folder. */
export async function listDownloads(
  link: RuntimeLink,
  context: HostContext,
  headers: HeaderCache,
): Promise<Downloads> {
  const home = findLMStudioHome({ userHome: context.userHome, env: context.env });
  const downloads =
    link.kind === 'on'
      ? await listWithClient(link, link.client, home, headers, context)
      : await listFolder(link, home, headers, context.signal);
  headers.save();
  return downloads;
}

async function listWithClient(
  link: RuntimeLink,
  client: LMStudioClient,
  home: LMStudioHome | null,
  headers: HeaderCache,
  { signal }: HostContext,
): Promise<Downloads> {
  const { models: listed } = await client.listDownloaded({ signal });
  const { here, elsewhere } = await byMachine(listed, client, signal);
  // The paths of another machine do not exist on this machine.
  const ownHome = client.host.isLocal ? home : null;
  const folder = ownHome?.modelsFolder ?? null;
  const judged = await Promise.all(
    withDistinctKeys(here).map(async (model) => {
      const files = folder === null ? null : filesIn(folder, model);
      return { model, files, fault: await faultOf(model, files, headers, signal) };
    }),
  );
  const usable = judged.filter(({ fault }) => fault === null);
  const filesByKey = new Map(usable.map(({ model, files }) => [model.modelKey, files]));
  return {
    link,
    models: usable.map(({ model }) => model),
    filesOf: (modelKey) => filesByKey.get(modelKey) ?? null,
    unusable: judged.flatMap(({ fault }) => fault ?? []),
    unreadable: [],
    missingFolder: await findMissingFolder(ownHome),
    origin: { kind: 'lmstudio', baseUrl: client.baseUrl, elsewhere },
  };
}

/** The fault of a model that LM Studio lists; null where its file has none, or can't be read from here. */
async function faultOf(
  { modelKey, path: relative, format }: DownloadedModel,
  files: ModelFiles | null,
  headers: HeaderCache,
  signal: AbortSignal,
): Promise<UnusableFile | null> {
  const [filePath] = files?.files ?? [];
  if (filePath === undefined || format !== 'gguf') return null;
  const judgement = await judgeFile(filePath, headers, signal);
  const file = { path: relative ?? filePath, filePath, modelKey };
  if (judgement.kind === 'projector')
    return { ...file, code: 'PROJECTOR', why: 'it is a projector (mmproj), not a model' };
  if (judgement.kind !== 'unusable') return null;
  const { code, why } = judgement;
  return LMSTUDIO_KNOWS_BETTER.has(code) ? null : { ...file, code, why };
}

/**
 * Faults that don't count where LM Studio lists the model. The folder of its settings may not be the one that
 * it has in use.
 */
const LMSTUDIO_KNOWS_BETTER = new Set(['FILE_NOT_FOUND', 'FILE_UNREADABLE', 'INCOMPLETE']);

/** The models folder where it is configured and does not exist, or is a link to nowhere. */
async function findMissingFolder(home: LMStudioHome | null): Promise<string | null> {
  if (home === null) return null;
  const { modelsFolder, modelsFolderFrom } = home;
  const exists = (look: typeof stat | typeof lstat): Promise<boolean> =>
    look(modelsFolder).then(
      () => true,
      (error: unknown) => errorCodeOf(error) !== 'ENOENT',
    );
  if (await exists(stat)) return null;
  // LM Studio creates its default folder with the first download.
  return modelsFolderFrom === 'settings' || (await exists(lstat)) ? modelsFolder : null;
}

function filesIn(
  folder: string,
  { path: file, format, vision }: DownloadedModel,
): ModelFiles | null {
  if (file !== null && format === 'mlx') {
    // LM Studio names the folder of an MLX model.
    const config = path.join(folder, file, 'config.json');
    return { files: [config], findProjector: () => Promise.resolve(null) };
  }
  if (file === null || !/\.gguf$/i.test(file)) return null;
  const first = path.join(folder, file);
  // Kept, because a decision asks for it with every load option.
  let projector: Promise<string | null> | null = null;
  return {
    files: [first],
    findProjector: () => (projector ??= vision ? findProjector(first) : Promise.resolve(null)),
  };
}

/** Keeps the models on LM Studio's own machine, because a decision is about that machine's memory. */
async function byMachine(
  listed: readonly DownloadedModel[],
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<{ readonly here: readonly DownloadedModel[]; readonly elsewhere: number }> {
  if (listed.every(({ deviceIdentifier }) => deviceIdentifier === null)) {
    return { here: listed, elsewhere: 0 };
  }
  const own = (await client.devices({ signal }))?.own.deviceIdentifier ?? null;
  const here = listed.filter(
    ({ deviceIdentifier }) => deviceIdentifier === null || deviceIdentifier === own,
  );
  return { here, elsewhere: listed.length - here.length };
}

async function listFolder(
  link: RuntimeLink,
  home: LMStudioHome | null,
  headers: HeaderCache,
  signal: AbortSignal,
): Promise<Downloads> {
  if (home === null) {
    return {
      link,
      models: [],
      filesOf: () => null,
      unusable: [],
      unreadable: [],
      missingFolder: null,
      origin: { kind: 'models-folder', folder: null },
    };
  }
  const { models, unusable, unreadable } = await scanModelsFolder(home.modelsFolder, {
    home: home.path,
    judge: (file) => judgeFile(file, headers, signal),
    signal,
  });
  const described = await Promise.all(
    models.map(async (model) =>
      model.format === 'gguf'
        ? withHeaderFacts(model, await factsOf(model.filePath, headers, signal))
        : model,
    ),
  );
  const byKey = new Map(described.map((model) => [model.modelKey, model]));
  return {
    link,
    models: described,
    filesOf: (modelKey) => {
      const model = byKey.get(modelKey);
      if (model === undefined) return null;
      return {
        files: model.files,
        findProjector: () => Promise.resolve(model.projectorPath),
      };
    },
    unusable,
    unreadable,
    missingFolder: await findMissingFolder(home),
    origin: { kind: 'models-folder', folder: home.modelsFolder },
  };
}
