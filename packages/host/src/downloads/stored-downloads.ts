import { findLMStudioHome } from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import type { DownloadsList } from './downloads-list.js';
import { createFactsReader } from '../model-files/judge-file.js';
import { findMissingFolder } from './missing-folder.js';
import { filesOfScanned, finderOf } from '../model-files/model-files.js';
import { listStoredModels } from './list-stored-models.js';

/**
 * Lists the models for the embedded engine.
 *
 * @param modelFolders `modelFolders` of the configuration
 */
export async function listStoredDownloads(
  { userHome, env, platform, signal }: HostContext,
  modelFolders: readonly string[],
  headers: HeaderCache,
): Promise<DownloadsList> {
  const readFacts = createFactsReader(headers);
  const lookup = { userHome, env, platform, signal, modelFolders, headers, readFacts };
  const [stored, missingFolder] = await Promise.all([
    listStoredModels(lookup),
    findMissingFolder(findLMStudioHome({ userHome, env })),
  ]);
  headers.save();
  const { models, unusable, unreadable, places, missingModelFolders } = stored;
  return {
    models,
    listed: models,
    linked: [],
    gone: [],
    stampedFiles: models.map(({ modelKey, files, projectorPath }) => [
      modelKey,
      projectorPath === null ? files : [...files, projectorPath],
    ]),
    unusable,
    unreadable,
    otherEntries: [],
    missingFolder,
    missingModelFolders,
    origin: { kind: 'stores', places },
    sources: new Map(models.map(({ modelKey, sources }) => [modelKey, sources])),
    find: finderOf(
      models.map((model) => ({ model, files: filesOfScanned(model, readFacts) })),
      () => Promise.resolve(null),
    ),
  };
}
