import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { Downloads } from './downloads-list.js';

/**
 * Creates a function that adds to each list of downloads the models that are loaded and were on an earlier list: their files
 * were removed, or their drive is not mounted. Such a model serves until it is unloaded.
 *
 * The same list with the same loaded models gives the same object.
 */
export function rememberModels(): (listed: Downloads, loadedKeys: readonly string[]) => Downloads {
  const seen = new Map<string, DownloadedModel>();
  let last: { readonly listed: Downloads; readonly gone: string; readonly with: Downloads } | null =
    null;
  return (listed, loadedKeys) => {
    if (last?.listed !== listed)
      for (const model of listed.models)
        for (const key of [model.modelKey, ...model.variants]) seen.set(key, model);
    const keys = new Set(listed.models.map(({ modelKey }) => modelKey));
    const here = new Set([...keys, ...listed.models.flatMap(({ variants }) => variants)]);
    const gone = new Map<string, DownloadedModel>();
    for (const key of loadedKeys) {
      const model = seen.get(key);
      if (model === undefined || here.has(key)) continue;
      // Where only this variant is gone, its model can still be loaded.
      const isVariant = keys.has(model.modelKey);
      const one = isVariant
        ? { ...model, modelKey: key, variants: [], selectedVariant: null }
        : model;
      gone.set(one.modelKey, one);
    }
    const names = JSON.stringify([...gone.keys()]);
    if (last?.listed !== listed || last.gone !== names)
      last = {
        listed,
        gone: names,
        with: gone.size === 0 ? listed : withGone(listed, [...gone.values()]),
      };
    return last.with;
  };
}

function withGone(listed: Downloads, gone: readonly DownloadedModel[]): Downloads {
  return {
    ...listed,
    gone,
    find: async (key) => {
      const found = await listed.find(key);
      const model = gone.find((one) => isNamed(one, key));
      return found ?? (model === undefined ? null : { model, files: null });
    },
  };
}

/** Whether a key names a model or one of its variants. */
export function isNamed({ modelKey, variants }: DownloadedModel, key: string): boolean {
  return modelKey === key || variants.includes(key);
}
