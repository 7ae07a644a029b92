import path from 'node:path';
import type { DownloadedModel, LMStudioClient, LMStudioHome } from '@mai/lmstudio-adapter';
import type { ScannedModel } from '@mai/lmstudio-adapter';
import { findLMStudioHome, findProjector, scanModelsFolder } from '@mai/lmstudio-adapter';
import type { ModelFileError } from '@mai/memory-estimator';
import { isModelFileError } from '@mai/memory-estimator';
import type { CommandContext } from '../context.js';
import type { LMStudioLink } from './connect-lmstudio.js';
import type { HeaderShelf } from './header-shelf.js';
import { createHeaderShelf } from './header-shelf.js';
import { headerFacts, withHeaderFacts } from './model-facts.js';
import { plural, displayAddress } from '../terminal/format.js';

/** Where the weights of a downloaded model lie on this machine. */
export interface ModelFiles {
  /** Absolute paths, the parts of a split model in order. */
  readonly files: readonly string[];
  /** The vision projector that is loaded with it. */
  readonly findProjector: () => Promise<string | null>;
}

/** What is downloaded, from LM Studio or, where it is off, from its models folder. */
export interface Library {
  readonly link: LMStudioLink;
  readonly models: readonly DownloadedModel[];
  /** Null: not on this machine, or not where it was looked for. */
  readonly filesOf: (modelKey: string) => ModelFiles | null;
  /** Files that are no whole models, with what is wrong with them. */
  readonly incomplete: readonly { readonly path: string; readonly why: string }[];
  /** Folders that could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[];
  /** A sentence on where this list is from. */
  readonly origin: string;
}

/** What is downloaded, from LM Studio or, where it is off, from its models folder. */
export async function libraryOf(
  link: LMStudioLink,
  context: CommandContext,
  shelf: HeaderShelf = createHeaderShelf(context),
): Promise<Library> {
  const home = findLMStudioHome({ userHome: context.io.homeFolder, env: context.io.env });
  return link.kind === 'on'
    ? libraryOfClient(link, link.client, home, context)
    : libraryOfFolder(link, home, shelf, context.signal);
}

async function libraryOfClient(
  link: LMStudioLink,
  client: LMStudioClient,
  home: LMStudioHome | null,
  { signal }: CommandContext,
): Promise<Library> {
  const listed = await client.listDownloaded({ signal });
  const { here, elsewhere } = await byMachine(listed, client, signal);
  const models = here;
  // Another machine's paths say nothing about the files here.
  const folder = client.host.isLocal ? (home?.modelsFolder ?? null) : null;
  const filesByKey = new Map(
    models.map((model) => [model.modelKey, folder === null ? null : filesIn(folder, model)]),
  );
  return {
    link,
    models,
    filesOf: (modelKey) => filesByKey.get(modelKey) ?? null,
    incomplete: [],
    unreadable: [],
    origin: `As LM Studio at ${displayAddress(client.baseUrl)} lists them${
      elsewhere === 0
        ? ''
        : `; ${plural(elsewhere, 'model')} on other machines of LM Link, whose memory can't be seen from here, ${elsewhere === 1 ? 'is' : 'are'} left out`
    }.`,
  };
}

function filesIn(folder: string, { path: file, vision }: DownloadedModel): ModelFiles | null {
  if (file === null || !/\.gguf$/i.test(file)) return null;
  const first = path.join(folder, file);
  // Looked for once: a decision asks about every way to load the model.
  let projector: Promise<string | null> | null = null;
  return {
    files: [first],
    findProjector: () => (projector ??= vision ? findProjector(first) : Promise.resolve(null)),
  };
}

/** Which models lie on LM Studio's own machine; a decision is about the memory of that one. */
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

async function libraryOfFolder(
  link: LMStudioLink,
  home: LMStudioHome | null,
  shelf: HeaderShelf,
  signal: AbortSignal,
): Promise<Library> {
  if (home === null) {
    return {
      link,
      models: [],
      filesOf: () => null,
      incomplete: [],
      unreadable: [],
      origin: 'LM Studio is off, and it has no models folder here.',
    };
  }
  const scan = await scanModelsFolder(home.modelsFolder, { home: home.path, signal });
  const examined = await Promise.all(scan.models.map((model) => examine(model, shelf, signal)));
  shelf.save();
  const whole = examined.flatMap(({ model, why }) => (why === null ? model : []));
  const files = new Map(whole.map((model) => [model.modelKey, model]));
  return {
    link,
    models: whole,
    filesOf: (modelKey) => {
      const model = files.get(modelKey);
      if (model === undefined) return null;
      return {
        files: model.files,
        findProjector: () => Promise.resolve(model.projectorPath),
      };
    },
    incomplete: examined.flatMap(({ model, why }) =>
      why === null ? [] : { path: model.path ?? model.filePath, why },
    ),
    unreadable: scan.unreadable,
    origin: `LM Studio is off: these are the files in its models folder, ${home.modelsFolder}.`,
  };
}

/** Reads what only the header knows; `why` says what keeps a file from being a model. */
async function examine(
  model: ScannedModel,
  shelf: HeaderShelf,
  signal: AbortSignal,
): Promise<{ readonly model: ScannedModel; readonly why: string | null }> {
  if (!model.complete) return { model, why: 'parts are missing' };
  if (model.format !== 'gguf') return { model, why: null };
  try {
    const facts = await shelf.derive(model.filePath, 'facts', headerFacts, { signal });
    return {
      model: withHeaderFacts(model, facts),
      why: facts.complete ? null : 'the download is not complete',
    };
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    return { model, why: whatIsWrong(error) };
  }
}

function whatIsWrong({ code, message, offsetBytes }: ModelFileError): string {
  if (code === 'NOT_GGUF') return 'it is no GGUF file';
  return offsetBytes === null ? message.replace(/\.$/, '') : `it is damaged at byte ${offsetBytes}`;
}
