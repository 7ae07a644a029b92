import { baseKeyOf } from '@mai/memory-ledger';
import {
  otherNames,
  type JudgeQuality,
  type ModelConfig,
  type ModelProfile,
} from '@mai/model-config';
import {
  chainKeys,
  createCatalog,
  profilesNamed,
  type CatalogDownloads,
} from '../catalog/catalog.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { leftOutByKey } from '../downloads/left-out-models.js';
import { notesOfUnlistedForClients } from '../downloads/left-out-notes.js';
import type { ServingCatalog, ServingModel, ServingResident } from './serving.js';

/** A resident with its model. */
export interface LoadedModel extends ServingResident {
  readonly modelKey: string;
}

/**
 * Joins the configuration, the downloaded models and the residents into a catalog.
 *
 * @param judge - gives the qualities by which chains are ordered
 */
export function describeCatalog(
  config: ModelConfig,
  downloads: CatalogDownloads &
    Pick<Downloads, 'missingFolder' | 'missingModelFolders' | 'unreadable'>,
  loaded: readonly LoadedModel[],
  judge: JudgeQuality,
): Omit<ServingCatalog, 'runtime' | 'runtimeAnswers' | 'runtimeVersion' | 'decisionId'> {
  const { profiles } = createCatalog(config, downloads, judge);
  const known = new Set(profiles.map(({ modelKey }) => modelKey));
  const models = [...downloads.models, ...downloads.gone];
  const variants = Object.fromEntries(models.map((model) => [model.modelKey, model.variants]));
  // A resident may be a variant that neither the configuration nor LM Studio's list has as a model.
  const others = [...new Set(loaded.map(({ modelKey }) => modelKey))]
    .filter((modelKey) => !known.has(modelKey))
    .flatMap((modelKey) => profilesNamed(profiles, variants, modelKey));
  const downloaded = new Map(models.map((model) => [model.modelKey, model]));
  const describe = (profile: ModelProfile): ServingModel => {
    const { modelKey, displayName, tier, capabilities } = profile;
    const model = downloaded.get(modelKey);
    const isEmbedding = capabilities.includes('embedding');
    return {
      modelKey,
      displayName,
      tier,
      capabilities,
      downloaded: profile.downloaded,
      kind: model?.kind ?? (isEmbedding ? 'embedding' : 'llm'),
      contextLengthTokens: profile.contextLengthTokens,
      maxContextLengthTokens: profile.maxContextLengthTokens,
      // Older versions of LM Studio list models without their size.
      sizeBytes: model?.sizeBytes === 0 ? null : (model?.sizeBytes ?? null),
      hosts: null,
      residents: loaded
        .filter((one) => one.modelKey === modelKey)
        .map(({ instanceIdentifier, contextLengthTokens, foreign }) => ({
          instanceIdentifier,
          contextLengthTokens,
          foreign,
          host: null,
        })),
    };
  };
  const notes = notesOfUnlistedForClients(downloads);
  const names = new Set(['default', ...Object.keys(config.fallbackChains)]);
  return {
    models: [...profiles, ...others].map(describe),
    chains: Object.fromEntries(
      [...names].map((name) => [name, chainKeys(config, name, profiles, judge)]),
    ),
    aliases: config.gateway.aliases,
    hosts: null,
    otherNames: namesOf(
      downloads,
      loaded,
      new Set([...profiles, ...others].map(({ modelKey }) => modelKey)),
    ),
    leftOut: Object.fromEntries(
      [...leftOutByKey(downloads)].map(([key, { noteForClients }]) => [key, noteForClients]),
    ),
    unreachableNote: notes.length === 0 ? null : notes.join(' '),
  };
}

/** The names that no model has as its key. Of several quantizations, a loaded one precedes the largest one. */
function namesOf(
  { listed }: Pick<Downloads, 'listed'>,
  loaded: readonly LoadedModel[],
  known: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const names = otherNames(listed);
  const loadedKeys = new Map(loaded.map(({ modelKey }) => [baseKeyOf(modelKey), modelKey]));
  return Object.fromEntries(
    [...names]
      .filter(([name]) => !known.has(name))
      .map(([name, key]) => [name, baseKeyOf(key) === name ? (loadedKeys.get(name) ?? key) : key]),
  );
}
