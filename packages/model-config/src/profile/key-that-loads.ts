import { baseKeyOf } from '@mai/memory-ledger';
import { deepFreeze } from '../freeze.js';
import type { ChainEntry, ConfiguredModel, ModelConfig } from '../model-config.js';
import type { DownloadedModel } from './downloaded-model.js';

/**
 * The configuration with the keys of `keyThatLoads`. In `models`, the entry of a selected variant replaces the entry of
 * its model. Where only quantizations of a model are listed, the entry of the model applies to each quantization that has
 * no entry of its own. Its memory figures apply only to the largest quantization.
 */
export function withSelectedVariants(
  config: ModelConfig,
  downloaded: readonly DownloadedModel[],
): ModelConfig {
  const library = indexDownloaded(downloaded);
  const keyOf = (key: string): string => loadedBy(key, library)?.modelKey ?? key;
  const named = [...config.models.map(({ modelKey }) => modelKey), ...namedKeys(config)];
  if (named.every((key) => keyOf(key) === key)) return config;
  const fallbackChains: Record<string, readonly ChainEntry[]> = {};
  Object.setPrototypeOf(fallbackChains, null);
  for (const [name, entries] of Object.entries(config.fallbackChains)) {
    fallbackChains[name] = entries.map((entry) =>
      entry.kind === 'model' ? { ...entry, modelKey: keyOf(entry.modelKey) } : entry,
    );
  }
  return deepFreeze({
    ...config,
    models: modelsByLoadedKey(config.models, library),
    fallbackChains,
    pins: [...new Set(config.pins.map(keyOf))],
  });
}

function modelsByLoadedKey(
  models: readonly ConfiguredModel[],
  library: ReadonlyMap<string, DownloadedModel>,
): readonly ConfiguredModel[] {
  const selectedKey = (key: string): string => selectedBy(key, library)?.modelKey ?? key;
  const named = new Set(models.map(({ modelKey }) => modelKey));
  const replaced = new Set(
    [...named].filter((key) => selectedKey(key) !== key).map((key) => selectedKey(key)),
  );
  return models.flatMap((model): readonly ConfiguredModel[] => {
    const { modelKey: key } = model;
    const quantizations = quantizationsOf(key, library);
    if (quantizations.length === 0)
      return replaced.has(key) ? [] : [{ ...model, modelKey: selectedKey(key) }];
    return quantizations
      .filter(({ modelKey }) => !named.has(modelKey))
      .map(({ modelKey }) =>
        modelKey === quantizations[0]?.modelKey
          ? { ...model, modelKey }
          : { ...model, modelKey, minMemoryBytes: null, minVramBytes: null },
      );
  });
}

/**
 * The key by which the runtime loads and reports the model that `key` names; `key` itself where it names none.
 *
 * - The key of a selected variant becomes the key of its model, because both load the same file.
 * - A model in several quantizations can be listed as `key@q4_k_m` and `key@q8_0`, without `key`. Then `key` becomes
 *   the key of the largest one, so that its memory is not underestimated.
 */
export function keyThatLoads(key: string, downloaded: readonly DownloadedModel[]): string {
  return loadedBy(key, indexDownloaded(downloaded))?.modelKey ?? key;
}

/**
 * All names that `keyThatLoads` replaces, each with its answer: the keys of variants, and the keys of models of which only
 * quantizations are listed. Such a name means a listed model, but no listed model has it as its key.
 */
export function otherNames(downloaded: readonly DownloadedModel[]): ReadonlyMap<string, string> {
  const library = indexDownloaded(downloaded);
  const names = new Map<string, string>();
  for (const { modelKey, variants, quantization } of [...library.values()].sort(bySizeDescending)) {
    const base = baseKeyOf(modelKey);
    if (base !== modelKey) {
      // The largest quantization comes first.
      if (!names.has(base)) names.set(base, modelKey);
    } else if (quantization !== null) {
      const only = `${modelKey}@${quantization.name.toLowerCase()}`;
      if (selectedBy(only, library) !== null) names.set(only, modelKey);
    }
    for (const name of variants) {
      names.set(name, selectedBy(name, library)?.modelKey ?? name);
    }
  }
  for (const key of library.keys()) names.delete(key);
  return names;
}

function loadedBy(
  key: string,
  library: ReadonlyMap<string, DownloadedModel>,
): DownloadedModel | null {
  return selectedBy(key, library) ?? quantizationsOf(key, library)[0] ?? null;
}

/** The models `key@quantization`, the largest first. Empty where `key` itself is listed. */
function quantizationsOf(
  key: string,
  library: ReadonlyMap<string, DownloadedModel>,
): readonly DownloadedModel[] {
  if (library.has(key)) return [];
  // The first test is fast, and leaves few models for the second one.
  return [...library.values()]
    .filter(({ modelKey }) => modelKey.startsWith(`${key}@`) && baseKeyOf(modelKey) === key)
    .sort(bySizeDescending);
}

function bySizeDescending(a: DownloadedModel, b: DownloadedModel): number {
  return b.sizeBytes - a.sizeBytes || (a.modelKey < b.modelKey ? -1 : 1);
}

/** The model that a key or the key of its selected variant names; `null` for any other key. */
export function selectedBy(
  key: string,
  library: ReadonlyMap<string, DownloadedModel>,
): DownloadedModel | null {
  const model = library.get(key) ?? library.get(baseKeyOf(key));
  if (model === undefined) return null;
  const { modelKey, selectedVariant, quantization } = model;
  // Without variants, the model's only quantization is the one that loads.
  const selected = selectedVariant ?? `${modelKey}@${quantization?.name.toLowerCase() ?? ''}`;
  return key === modelKey || key === selected ? model : null;
}

/** Models by key. If a model is on several devices, the copy on LM Studio's own machine is used. */
export function indexDownloaded(
  downloaded: readonly DownloadedModel[],
): ReadonlyMap<string, DownloadedModel> {
  const library = new Map<string, DownloadedModel>();
  for (const model of downloaded) {
    if (!library.has(model.modelKey) || model.deviceIdentifier === null) {
      library.set(model.modelKey, model);
    }
  }
  return library;
}

/** The keys that the chains and pins of a configuration name. */
export function namedKeys(config: ModelConfig): string[] {
  const inChains = Object.values(config.fallbackChains)
    .flat()
    .flatMap((entry) => (entry.kind === 'model' ? [entry.modelKey] : []));
  return [...inChains, ...config.pins];
}
