import { comparableName, withoutSizes } from './comparable-name.js';
import { deriveQuality } from './derive-quality.js';
import { QUALITY_USES, type KnownModel, type NamedModel, type QualityUse } from './model-facts.js';
import {
  modelsByName,
  modelsByWords,
  modelsByWordsWithoutSizes,
  publishedQuality,
} from './published-quality.js';
import { isThinkingResult, thinkingMode } from './thinking-mode.js';

/** The quality of a model at full precision, and where the figure comes from. */
export interface FullPrecisionQuality {
  /** From 0 to 1. Figures of different uses cannot be compared with each other. */
  readonly quality: number;
  /**
   * `published`: published results of this model. `derived`: a guess from size, release date, thinking and
   * family.
   */
  readonly source: 'published' | 'derived';
}

/** The size of a known model may differ by this factor from the given size, because sources count differently. */
const LARGEST_SIZE_RATIO = 1.35;

/**
 * The published figure of a model, else a figure that is derived from other models.
 *
 * @returns `null` for `vision` where the model is not known to see, and where neither results nor the
 *   number of parameters are known.
 */
export function fullPrecisionQuality(
  model: NamedModel,
  use: QualityUse,
): FullPrecisionQuality | null {
  if (use === 'vision' && model.vision === false) return null;
  const index = QUALITY_USES.indexOf(use);
  const known = findKnownModels(model);
  // For reasoning, a model with two modes is judged by its thinking mode. For other uses, the mean counts.
  const thinking = use === 'reasoning' ? known.filter(isThinkingResult) : [];
  const figures = (thinking.length > 0 ? thinking : known)
    .map(({ quality }) => quality[index] ?? null)
    .filter((figure) => figure !== null);
  if (figures.length > 0) {
    const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
    return { quality: mean, source: 'published' };
  }
  return derivedQuality(model, use);
}

/** The derived figure, also where the model itself has published results. */
export function derivedQuality(model: NamedModel, use: QualityUse): FullPrecisionQuality | null {
  if (use === 'vision' && model.vision !== true) return null;
  const quality = deriveQuality(model, use, publishedQuality());
  return quality === null ? null : { quality, source: 'derived' };
}

/**
 * The published results of a model, by the first of its names that has any. The exact name counts first, then the
 * same words, then the same words without the size where only one of the names states it. A mode that the model
 * does not have is left out.
 */
export function findKnownModels(model: NamedModel): readonly KnownModel[] {
  const mode = thinkingMode(model);
  const inThisMode = (found: readonly KnownModel[] | undefined): readonly KnownModel[] =>
    (found ?? []).filter(
      (known) =>
        isSameSize(known, model.parameters) &&
        (typeof mode !== 'boolean' || isThinkingResult(known) === mode),
    );
  for (const name of model.names) {
    const named = inThisMode(modelsByName().get(name.trim().toLowerCase()));
    if (named.length > 0) return named;
    const words = comparableName(name);
    const ways = [() => modelsByWords().get(words)];
    if (model.parameters !== null) {
      ways.push(
        () => modelsByWordsWithoutSizes().get(words),
        () => modelsByWords().get(withoutSizes(words)),
      );
    }
    for (const find of ways) {
      const known = inThisMode(find());
      if (known.length > 0) return known;
    }
  }
  return [];
}

function isSameSize(known: KnownModel, parameters: number | null): boolean {
  if (parameters === null) return true;
  const ratio = known.billions / (parameters / 1e9);
  return ratio < LARGEST_SIZE_RATIO && ratio > 1 / LARGEST_SIZE_RATIO;
}
