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

/** Location of a downloaded model's weights on this machine. */
export interface ModelFiles {
  /** Absolute paths, the parts of a split model in order; at least one. */
  readonly files: readonly string[];
  /** The vision projector that is loaded with the model. */
  readonly findProjector: () => Promise<string | null>;
}

/** Who listed the downloaded models. */
export type DownloadsOrigin =
  | {
      readonly kind: 'lmstudio';
      readonly baseUrl: string;
      /**
       * Models on other machines of LM Link. They are left out: their memory can't be read from
       * here.
       */
      readonly elsewhere: number;
    }
  /** LM Studio is off: the files in its models folder, or null where there is none. */
  | { readonly kind: 'models-folder'; readonly folder: string | null };

/** The source of a list of downloaded models, and what the list lacks. */
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
  /** Null: the files are not on this machine, or not in the folder that was searched. */
  readonly filesOf: (modelKey: string) => ModelFiles | null;
}

/** Lists the downloaded models: from LM Studio, or from its models folder while it is off. */
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
  const listed = await client.listDownloaded({ signal });
  const { here, elsewhere } = await byMachine(listed, client, signal);
  // Another machine's paths do not exist here.
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

function filesIn(folder: string, { path: file, vision }: DownloadedModel): ModelFiles | null {
  if (file === null || !/\.gguf$/i.test(file)) return null;
  const first = path.join(folder, file);
  // Kept, because a decision asks once for every load option.
  let projector: Promise<string | null> | null = null;
  return {
    files: [first],
    findProjector: () => (projector ??= vision ? findProjector(first) : Promise.resolve(null)),
  };
}

/** Which models lie on LM Studio's own machine. A decision concerns only that machine's memory. */
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

/** Adds the facts that only the header has; `why` says why a file can't be loaded. */
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
