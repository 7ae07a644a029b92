import type { LoadedModelConfig } from '@mai/model-config';
import {
  isModelConfigError,
  mergeWithDownloaded,
  resolveChain,
  withSelectedVariants,
} from '@mai/model-config';
import { isBuiltInChain } from '../catalog/catalog.js';
import { describeSource, loadConfig } from '../config/load-config.js';
import type { HostContext } from '../host-options.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { missingFolderNotes } from '../downloads/left-out-notes.js';
import { getModels } from '../text/get-models.js';
import { plural } from '../words.js';
import type { Check } from './check.js';
import { fault, ok, warning } from './check.js';

const NAME = 'Configuration';

/** Reads the configuration in use. `config` is null where it has a fault. */
export async function checkConfig(
  context: HostContext,
): Promise<{ readonly config: LoadedModelConfig | null; readonly check: Check }> {
  try {
    const config = await loadConfig(context);
    const { source } = config;
    const where = source.file === null ? 'built in' : `${source.file}, ${describeSource(source)}`;
    const chains = Object.keys(config.config.fallbackChains).length;
    const facts = `${plural(config.config.models.length, 'model')} and ${plural(chains, 'fallback chain')}`;
    return { config, check: ok(NAME, `${facts} (${where}).`) };
  } catch (error) {
    if (!isModelConfigError(error)) throw error;
    const [headline = ''] = error.message.split('\n');
    return {
      config: null,
      check: fault(
        NAME,
        headline,
        error.code === 'CONFIG_INVALID'
          ? '`mai config check` lists each problem with its line.'
          : 'Check the path.',
      ),
    };
  }
}

/** Checks that every fallback chain has a downloaded model. */
export function checkChains({ config: given }: LoadedModelConfig, downloads: Downloads): Check {
  const { models: downloaded, unusable } = downloads;
  const missing = missingFolderNotes(downloads);
  if (missing.length > 0) {
    const finding = downloaded.length === 0 ? fault : warning;
    return finding('Models', missing.join(' '), null);
  }
  const config = withSelectedVariants(given, downloaded);
  const profiles = mergeWithDownloaded(config, downloaded);
  const dead = Object.keys(config.fallbackChains).filter(
    (name) => !resolveChain(config, name, profiles)?.some((profile) => profile.downloaded),
  );
  if (downloaded.length === 0 && unusable.length > 0) {
    return warning(
      'Models',
      `${plural(unusable.length, 'model')} found, and none can be loaded. The lines below say why.`,
      null,
    );
  }
  if (downloaded.length === 0 && downloads.unreadable.length > 0) {
    return warning('Models', 'No model was found, and some folders or files cannot be read.', null);
  }
  if (downloaded.length === 0) {
    return warning(
      'Models',
      'No model is downloaded, so there is no model to choose.',
      getModels(downloads.origin),
    );
  }
  const count = `${plural(downloaded.length, 'model')} downloaded`;
  if (dead.length === 0) return ok('Models', `${count}; every fallback chain has one of them.`);
  // A user needs only some of the built-in chains, so only the default chain must have a model.
  if (!dead.includes('default') && dead.every((name) => isBuiltInChain(given, name))) {
    return ok(
      'Models',
      `${count}; the built-in chains ${dead.join(', ')} have no downloaded model.`,
    );
  }
  return warning(
    'Models',
    `${count}, but the fallback chain ${dead.join(', ')} names no downloaded model.`,
    'Download one of its models, or add a model of `mai models` to it.',
  );
}
