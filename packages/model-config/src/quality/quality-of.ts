import { comparableName, isThinkingName } from './comparable-name.js';
import { deriveQuality } from './derive-quality.js';
import { publishedQuality } from './published-quality.generated.js';
import {
  QUALITY_USES,
  type ConfiguredQuality,
  type KnownModel,
  type ModelFacts,
  type QualityUse,
} from './model-facts.js';

/** A quality and where it comes from. */
export interface Quality {
  /** From 0 to 1. Figures of different uses can't be compared with each other. */
  readonly quality: number;
  /**
   * `configured`: the user's own file. `published`: published results of this model. `derived`: a guess from
   * size, release date, thinking and family.
   */
  readonly source: 'configured' | 'published' | 'derived';
}

/** A known model of the same name may differ by this factor in size, because sources count differently. */
const LARGEST_SIZE_RATIO = 1.35;

/**
 * How good the answers of a model are for one use, before the losses of a quantization and of the KV cache
 * type. The user's own figure wins, then published results, then a figure that is derived from
 * other models.
 *
 * The figure is the logistic function of a mean of z-scores, so 0.5 is an average model of the published
 * results. Formula and sources: bench/data/quality/README.md.
 *
 * @param configured - the field `quality` of the user's file. Default: `null`, not set.
 * @returns `null` for `vision` where the model is not known to see, and where neither results nor the
 *   number of parameters are known.
 */
export function qualityOf(
  facts: ModelFacts,
  use: QualityUse,
  configured: ConfiguredQuality | null = null,
): Quality | null {
  const own = typeof configured === 'number' ? configured : (configured?.[use] ?? null);
  if (own !== null) return { quality: own, source: 'configured' };
  if (use === 'vision' && facts.vision === false) return null;
  const index = QUALITY_USES.indexOf(use);
  const figures = findKnownModels(facts)
    .map((known) => known.quality[index] ?? null)
    .filter((figure) => figure !== null);
  if (figures.length > 0) {
    const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
    return { quality: mean, source: 'published' };
  }
  return derivedQualityOf(facts, use);
}

/** The figure of `qualityOf` without the published results of the model itself and without the user's own. */
export function derivedQualityOf(facts: ModelFacts, use: QualityUse): Quality | null {
  if (use === 'vision' && facts.vision !== true) return null;
  const quality = deriveQuality(facts, use, publishedQuality);
  return quality === null ? null : { quality, source: 'derived' };
}

/** The entry of this exact name, else the entries of this model in this mode. */
function findKnownModels(facts: ModelFacts): readonly KnownModel[] {
  const { models } = publishedQuality;
  const exact = new Set(facts.names.map((name) => name.trim().toLowerCase()));
  const named = models.filter((known) => exact.has(known.name.trim().toLowerCase()));
  const names = new Set(facts.names.map(comparableName));
  const found =
    named.length > 0
      ? named
      : models.filter((known) => known.comparableNames.some((name) => names.has(name)));
  const thinks = facts.names.some(isThinkingName) ? true : facts.reasoning;
  return found.filter(
    (known) =>
      isSameSize(known, facts.parameters) &&
      (thinks === null || (known.reasoning || isThinkingName(known.name)) === thinks),
  );
}

function isSameSize(known: KnownModel, parameters: number | null): boolean {
  if (parameters === null) return true;
  const ratio = known.billions / (parameters / 1e9);
  return ratio < LARGEST_SIZE_RATIO && ratio > 1 / LARGEST_SIZE_RATIO;
}
