import path from 'node:path';
import type {
  DownloadedModel,
  FileJudgement,
  LMStudioClient,
  LMStudioHome,
  UnusableFile,
} from '@mai/lmstudio-adapter';
import { findLMStudioHome, scanModelsFolder, withDistinctKeys } from '@mai/lmstudio-adapter';
import { baseKeyOf } from '@mai/memory-ledger';
import type { HeaderCache } from '@mai/memory-estimator';
import { findModelFolders } from './find-model-folders.js';
import { embeddedEngine } from '../engine/embedded-engine.js';
import { findRegisteredFiles } from '../model-files/registered-files.js';
import { readLoadEngine } from '../engine/read-load-engine.js';
import type { HostContext } from '../host-options.js';
import { engineRegistry, type RuntimeLink } from '../runtime/connect-runtime.js';
import { withHeaderFacts } from '../model-files/header-facts.js';
import {
  createFactsReader,
  judgeFile,
  judgeMlx,
  type FactsReader,
} from '../model-files/judge-file.js';
import { findMissingFolder } from './missing-folder.js';
import { withEngines } from './with-engines.js';
import { misfitProjector, misfitsIn } from '../model-files/misfit-projector.js';
import {
  factsOf,
  filesIn,
  filesOfScanned,
  finderOf,
  type ModelFiles,
} from '../model-files/model-files.js';
import type { Downloads, DownloadsList } from './downloads-list.js';

/**
 * Lists the downloaded models. While LM Studio is off, reads its models folder. For the embedded engine, reads the folders
 * of all programs that keep GGUF files.
 */
export async function listDownloads(
  link: RuntimeLink,
  context: HostContext,
  headers: HeaderCache,
): Promise<Downloads> {
  if (link.runtime === 'embedded') {
    // Imported here, because LM Studio needs none of it.
    const { listStoredDownloads } = await import('./stored-downloads.js');
    const list = await listStoredDownloads(context, await findModelFolders(context), headers);
    const registry = engineRegistry(context.folders);
    const readFacts = createFactsReader(headers);
    return {
      ...list,
      link,
      engine: await embeddedEngine(link, context.signal),
      filesOfResident: (resident) => findRegisteredFiles(registry, resident, readFacts),
    };
  }
  // The files of another machine cannot be read from here.
  const isLocal = link.kind === 'off' || link.client.host.isLocal;
  const home = isLocal ? findLMStudioHome({ userHome: context.userHome, env: context.env }) : null;
  const readFacts = createFactsReader(headers);
  const [engine, list] = await Promise.all([
    readLoadEngine(link, home, context.signal),
    link.kind === 'on'
      ? listWithClient(link.client, home, readFacts, context)
      : listFolder(home, readFacts, context.signal),
  ]);
  headers.save();
  const usable = withEngines(list, engine, home);
  return {
    ...usable,
    listed: withoutUnusableQuantizations(usable),
    link,
    engine,
    filesOfResident: () => Promise.resolve(null),
  };
}

/**
 * The listed models, by which `keyThatLoads` finds the quantization that a key means. An unusable quantization is left
 * out where another quantization of the same model is usable, because the key would otherwise mean a file that cannot
 * be loaded.
 */
function withoutUnusableQuantizations({
  listed,
  models,
}: Pick<DownloadsList, 'listed' | 'models'>): readonly DownloadedModel[] {
  const keys = new Set(listed.map(({ modelKey }) => modelKey));
  const usable = new Set(models.map(({ modelKey }) => modelKey));
  const usableBases = new Set([...usable].map(baseKeyOf));
  return listed.filter(({ modelKey }) => {
    const base = baseKeyOf(modelKey);
    return usable.has(modelKey) || keys.has(base) || !usableBases.has(base);
  });
}

const NO_STORES = {
  gone: [],
  missingModelFolders: [],
  sources: new Map<string, never>(),
} as const;

async function listWithClient(
  client: LMStudioClient,
  home: LMStudioHome | null,
  readFacts: FactsReader,
  { signal }: HostContext,
): Promise<DownloadsList> {
  const { models: listed, leftOut } = await client.listDownloaded({ signal });
  const { here, elsewhere } = await byMachine(listed, client, signal);
  const folder = home?.modelsFolder ?? null;
  const inFolder = (model: DownloadedModel): ModelFiles | null =>
    folder === null ? null : filesIn(folder, model, readFacts);
  const judged = await Promise.all(
    withDistinctKeys(here).map(async (model) => {
      const files = inFolder(model);
      const fault = await faultOf(model, files, readFacts, signal);
      // LM Studio's list does not say whether a model can think. Its header does.
      const reasoning = model.reasoning ?? (await factsOf(files))?.reasoning ?? null;
      return { model: { ...model, reasoning }, files, fault };
    }),
  );
  const usable = judged.filter(({ fault }) => fault === null);
  return {
    models: usable.map(({ model }) => model),
    listed: judged.map(({ model }) => model),
    linked: elsewhere,
    stampedFiles: usable.map(({ model, files }) => [
      model.modelKey,
      files === null ? [] : stampedFiles(files),
    ]),
    find: finderOf(
      usable,
      async (variant, { modelKey }) => {
        const { variants } = await client.modelInfo(modelKey, { signal });
        const model = variants.find((one) => one.modelKey === variant);
        return model === undefined ? null : { model, files: inFolder(model) };
      },
      judged,
    ),
    unusable: judged.flatMap(({ fault }) => fault ?? []),
    unreadable: [],
    otherEntries: leftOut,
    missingFolder: await findMissingFolder(home),
    ...NO_STORES,
    origin: { kind: 'lmstudio', baseUrl: client.baseUrl, elsewhere: elsewhere.length },
  };
}

/** A download renames its weights at its end, so the folder of an MLX model changes with them. */
function stampedFiles({ files, format }: ModelFiles): readonly string[] {
  return format === 'gguf' ? files : files.flatMap((file) => [path.dirname(file), file]);
}

/** The fault of a model that LM Studio lists; null where its file has no fault, or cannot be read from here. */
async function faultOf(
  { modelKey, path: relative, kind, vision }: DownloadedModel,
  files: ModelFiles | null,
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<UnusableFile | null> {
  const [filePath] = files?.files ?? [];
  if (filePath === undefined || files === null) return null;
  const judgement =
    files.format === 'gguf'
      ? await judgeFile(filePath, readFacts, 'lmstudio', signal)
      : await judgeMlx(path.dirname(filePath), signal);
  const file = { path: relative ?? filePath, filePath, modelKey };
  if (judgement.kind === 'projector')
    return { ...file, code: 'PROJECTOR', why: 'it is a projector (mmproj), not a model' };
  if (judgement.kind !== 'unusable') {
    if (kind === 'llm' && files.format === 'gguf' && (await readFacts(filePath, signal)).embedding)
      return { ...file, ...LISTED_AS_LLM };
    const misfit =
      files.format === 'gguf' && vision ? await misfitProjector(filePath, readFacts, signal) : null;
    return misfit === null ? null : { ...file, code: misfit.code, why: misfit.reason };
  }
  const { code, why } = judgement;
  return LMSTUDIO_KNOWS_BETTER.has(code) ? null : { ...file, code, why };
}

/**
 * LM Studio knows embedding models by their architecture alone, so it loads others for chats, and their chats are nonsense
 * (lmstudio-bug-tracker #2177, #965, #696).
 */
const LISTED_AS_LLM = {
  code: 'LISTED_AS_LLM',
  why: 'its header is that of an embedding model, but LM Studio lists it as an LLM',
} as const;

/**
 * Faults that are ignored for a model that LM Studio lists, because LM Studio may use another folder than its
 * settings name.
 */
const LMSTUDIO_KNOWS_BETTER = new Set(['FILE_NOT_FOUND', 'FILE_UNREADABLE', 'INCOMPLETE']);

/** Keeps the models on LM Studio's own machine, because a decision is about that machine's memory. */
async function byMachine(
  listed: readonly DownloadedModel[],
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<{
  readonly here: readonly DownloadedModel[];
  readonly elsewhere: readonly DownloadedModel[];
}> {
  if (listed.every(({ deviceIdentifier }) => deviceIdentifier === null)) {
    return { here: listed, elsewhere: [] };
  }
  const own = (await client.devices({ signal }))?.own.deviceIdentifier ?? null;
  const here = listed.filter(
    ({ deviceIdentifier }) => deviceIdentifier === null || deviceIdentifier === own,
  );
  return { here, elsewhere: listed.filter((model) => !here.includes(model)) };
}

/** LM Studio reads no file that is directly in its models folder: lmstudio-bug-tracker #406 (0.3.9), lmstudio-js #387. */
const NO_FOLDER: FileJudgement = {
  kind: 'unusable',
  code: 'NO_FOLDER',
  why: 'LM Studio finds no model directly in its models folder',
};

async function listFolder(
  home: LMStudioHome | null,
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<DownloadsList> {
  if (home === null) {
    return {
      models: [],
      listed: [],
      linked: [],
      stampedFiles: [],
      find: () => Promise.resolve(null),
      unusable: [],
      unreadable: [],
      otherEntries: [],
      missingFolder: null,
      ...NO_STORES,
      origin: { kind: 'models-folder', folder: null },
    };
  }
  const { models, unusable, unreadable } = await scanModelsFolder(home.modelsFolder, {
    home: home.path,
    judge: async (file, format) => {
      if (format === 'mlx') return judgeMlx(file, signal);
      const judgement = await judgeFile(file, readFacts, 'lmstudio', signal);
      const isBare = path.dirname(file) === path.resolve(home.modelsFolder);
      if (judgement.kind !== 'model') return judgement;
      return isBare ? NO_FOLDER : judgement;
    },
    signal,
  });
  const described = await Promise.all(
    models.map(async (model) =>
      model.format === 'gguf'
        ? withHeaderFacts(model, await readFacts(model.filePath, signal))
        : model,
    ),
  );
  // Not in `judge`, because a model has its key whether it is offered or not.
  const misfits = await misfitsIn(described, readFacts, signal);
  const offered = described.filter((model) => !misfits.has(model));
  return {
    models: offered,
    listed: offered,
    linked: [],
    stampedFiles: offered.map(({ modelKey, files }) => [modelKey, files]),
    find: finderOf(
      offered.map((model) => ({ model, files: filesOfScanned(model, readFacts) })),
      () => Promise.resolve(null),
    ),
    unusable: [...unusable, ...misfits.values()],
    unreadable,
    otherEntries: [],
    missingFolder: await findMissingFolder(home),
    ...NO_STORES,
    origin: { kind: 'models-folder', folder: home.modelsFolder },
  };
}
