import type { DownloadedModel } from './model-types.js';
import { suggest } from './suggest.js';

/** What a key means among the downloaded models. */
export interface ModelMatch {
  /** The model that the key names, by itself, by one of its variants or by its path. */
  readonly model: DownloadedModel | null;
  /** With no model: keys that may have been meant, best first. */
  readonly suggestions: readonly string[];
}

/** Validates a model key against what is downloaded. Pure. */
export function findModel(modelKey: string, downloaded: readonly DownloadedModel[]): ModelMatch {
  const model =
    downloaded.find((candidate) => candidate.modelKey === modelKey) ??
    downloaded.find(({ variants }) => variants.includes(modelKey)) ??
    downloaded.find(({ path }) => path === modelKey) ??
    null;
  if (model !== null) return { model, suggestions: [] };
  const keys = [...new Set(downloaded.map((candidate) => candidate.modelKey))];
  return { model: null, suggestions: suggest(modelKey, keys) };
}

/** 'Did you mean a or b?', or the empty string. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : ` Did you mean ${suggestions.join(' or ')}?`;
}
