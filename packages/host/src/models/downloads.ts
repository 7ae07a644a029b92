import path from 'node:path';
import type {
  DownloadedModel,
  LMStudioClient,
  LMStudioHome,
  ScannedModel,
} from '@mai/lmstudio-adapter';
import { findLMStudioHome, findProjector, scanModelsFolder } from '@mai/lmstudio-adapter';
import type { HeaderCache, ModelFileError } from '@mai/memory-estimator';
import { isModelFileError } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { headerFacts, withHeaderFacts } from './header-facts.js';

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
  /** Files that can't be loaded, each with its defect. */
  readonly incomplete: readonly { readonly path: string; readonly why: string }[];
  /** Folders that could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[];
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
  return link.kind === 'on'
    ? listWithClient(link, link.client, home, context)
    : listFolder(link, home, headers, context.signal);
}

async function listWithClient(
  link: RuntimeLink,
  client: LMStudioClient,
  home: LMStudioHome | null,
  { signal }: HostContext,
): Promise<Downloads> {
  const { models: listed } = await client.listDownloaded({ signal });
  const { here, elsewhere } = await byMachine(listed, client, signal);
  // The paths of another machine do not exist on this machine.
  const folder = client.host.isLocal ? (home?.modelsFolder ?? null) : null;
  const filesByKey = new Map(
    here.map((model) => [model.modelKey, folder === null ? null : filesIn(folder, model)]),
  );
  return {
    link,
    models: here,
    filesOf: (modelKey) => filesByKey.get(modelKey) ?? null,
    incomplete: [],
    unreadable: [],
    origin: { kind: 'lmstudio', baseUrl: client.baseUrl, elsewhere },
  };
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
      incomplete: [],
      unreadable: [],
      origin: { kind: 'models-folder', folder: null },
    };
  }
  const scan = await scanModelsFolder(home.modelsFolder, { home: home.path, signal });
  const examined = await Promise.all(scan.models.map((model) => examine(model, headers, signal)));
  headers.save();
  const whole = examined.flatMap(({ model, why }) => (why === null ? model : []));
  const byKey = new Map(whole.map((model) => [model.modelKey, model]));
  return {
    link,
    models: whole,
    filesOf: (modelKey) => {
      const model = byKey.get(modelKey);
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
    origin: { kind: 'models-folder', folder: home.modelsFolder },
  };
}

/** Adds the facts of the header. `why` says why the file can't be loaded; null where it can. */
async function examine(
  model: ScannedModel,
  headers: HeaderCache,
  signal: AbortSignal,
): Promise<{ readonly model: ScannedModel; readonly why: string | null }> {
  if (!model.complete) return { model, why: 'parts are missing' };
  if (model.format !== 'gguf') return { model, why: null };
  try {
    const facts = await headers.derive(model.filePath, 'facts', headerFacts, { signal });
    return {
      model: withHeaderFacts(model, facts),
      why: facts.complete ? null : 'the download is not complete',
    };
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    return { model, why: whyUnreadable(error) };
  }
}

function whyUnreadable({ code, message, offsetBytes }: ModelFileError): string {
  if (code === 'NOT_GGUF') return 'it is not a GGUF file';
  return offsetBytes === null ? message.replace(/\.$/, '') : `it is damaged at byte ${offsetBytes}`;
}
