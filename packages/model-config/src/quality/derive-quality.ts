import { familyOf, isThinkingName, similarityOf } from './comparable-name.js';
import {
  QUALITY_USES,
  type KnownModel,
  type ModelFacts,
  type PublishedQuality,
  type QualityUse,
} from './model-facts.js';

// The quality of a model without published results: a regression on size, release date and thinking, plus
// the error that the regression makes for models of the same family. Quality is the logistic function of
// the score z, the mean of z-scores. Active parameters add nothing once all parameters are known, so they
// are not used. `bench/quality/accuracy.mjs` measures the error.

const YEAR_MS = 365.25 * 24 * 3_600_000;
const ORIGIN_MS = Date.UTC(2025, 0, 1);
/** The centre and the scale of log2 of the billions of parameters. */
const SIZE = { centre: 3.5, scale: 2 };
/** Distances at which the error of a family member counts 61 %, in doublings of size and in years. */
const NEAR = { doublings: 1, years: 0.7 };
/** The errors of a family count as if so many members without error were there, too. */
const SHRINKAGE = 0.5;

interface Regressors {
  readonly billions: number;
  readonly releaseDate: string;
  readonly thinks: boolean;
}

/** The inputs of the regression: constant, size, size squared, date, date squared, thinking, thinking x date. */
export function features({ billions, releaseDate, thinks }: Regressors): readonly number[] {
  const size = (Math.log2(billions) - SIZE.centre) / SIZE.scale;
  const date = yearsOf(releaseDate);
  const thinking = thinks ? 1 : 0;
  return [1, size, size * size, date, date * date, thinking, thinking * date];
}

/** The inputs of the regression for a model with published results. */
export function featuresOfKnown(model: KnownModel): readonly number[] {
  return features({
    billions: model.billions,
    releaseDate: model.releaseDate,
    thinks: model.reasoning || isThinkingName(model.name),
  });
}

/** The quality, derived from size, date, thinking and family; `null` where the size is not known. */
export function deriveQuality(
  facts: ModelFacts,
  use: QualityUse,
  published: PublishedQuality,
): number | null {
  const { parameters } = facts;
  if (parameters === null || !(parameters > 0)) return null;
  const billions = parameters / 1e9;
  const family = facts.family ?? familyOf(facts.names.join(' '));
  const relatives =
    family === null
      ? []
      : published.models.filter((known) => known.family?.toLowerCase() === family.toLowerCase());
  const releaseDate =
    facts.releaseDate !== null && Number.isFinite(Date.parse(facts.releaseDate))
      ? facts.releaseDate
      : likelyDate(facts.names, relatives.length > 0 ? relatives : published.models);
  const thinks = facts.reasoning === true || facts.names.some(isThinkingName);

  const weights = published.weights[use];
  const index = QUALITY_USES.indexOf(use);
  let [errors, nearness] = [0, SHRINKAGE];
  for (const known of relatives) {
    const quality = known.quality[index] ?? null;
    if (quality === null) continue;
    const doublings = Math.log2(known.billions / billions) / NEAR.doublings;
    const years = (yearsOf(known.releaseDate) - yearsOf(releaseDate)) / NEAR.years;
    const near = Math.exp(-(doublings ** 2 + years ** 2) / 2);
    errors += near * (scoreOf(quality) - sumOfProducts(weights, featuresOfKnown(known)));
    nearness += near;
  }
  const score = sumOfProducts(weights, features({ billions, releaseDate, thinks }));
  return qualityOfScore(score + errors / nearness);
}

/** The logistic function: a quality from 0 to 1 for a mean of z-scores. */
export function qualityOfScore(score: number): number {
  return 1 / (1 + Math.exp(-score));
}

/** The inverse of `qualityOfScore`. */
export function scoreOf(quality: number): number {
  return Math.log(quality / (1 - quality));
}

/** The release date of the known model with the most similar name; the latest of equally similar ones. */
function likelyDate(names: readonly string[], models: readonly KnownModel[]): string {
  const likeness = (known: KnownModel): number =>
    Math.max(...names.map((name) => similarityOf(name, known.name)));
  let best: { date: string; similarity: number } | null = null;
  for (const known of models) {
    const similarity = likeness(known);
    if (
      best === null ||
      similarity > best.similarity ||
      (similarity === best.similarity && known.releaseDate > best.date)
    ) {
      best = { date: known.releaseDate, similarity };
    }
  }
  return best?.date ?? '2025-01-01';
}

function yearsOf(date: string): number {
  return (Date.parse(date) - ORIGIN_MS) / YEAR_MS;
}

function sumOfProducts(weights: readonly number[], values: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (values[index] ?? 0), 0);
}
