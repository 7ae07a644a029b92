import { dateOfArchitecture } from './architecture-date.js';
import {
  comparableName,
  dateInName,
  familyOf,
  similarityOf,
  wordsWithoutSizes,
} from './comparable-name.js';
import {
  QUALITY_USES,
  type KnownModel,
  type NamedModel,
  type PublishedQuality,
  type QualityUse,
} from './model-facts.js';
import { isThinkingResult, thinkingMode } from './thinking-mode.js';

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
/** The weight of an imagined member without error. It shrinks the errors of families with few members. */
const SHRINKAGE = 0.5;

interface Regressors {
  readonly billions: number;
  readonly releaseDate: string;
  /** How often the model thinks before it answers, 0 to 1. */
  readonly thinking: number;
}

/** The inputs of the regression: constant, size, size squared, date, date squared, thinking, thinking x date. */
export function features({ billions, releaseDate, thinking }: Regressors): readonly number[] {
  const size = (Math.log2(billions) - SIZE.centre) / SIZE.scale;
  const date = yearsOf(releaseDate);
  return [1, size, size * size, date, date * date, thinking, thinking * date];
}

/** The inputs of the regression for a model with published results. */
export function featuresOfKnown(model: KnownModel): readonly number[] {
  return features({
    billions: model.billions,
    releaseDate: model.releaseDate,
    thinking: isThinkingResult(model) ? 1 : 0,
  });
}

/** The quality, derived from size, date, thinking and family; `null` where the size is not known. */
export function deriveQuality(
  facts: NamedModel,
  use: QualityUse,
  published: PublishedQuality,
): number | null {
  const { parameters } = facts;
  if (parameters === null || !(parameters > 0)) return null;
  const billions = parameters / 1e9;
  // A fine-tuned model may have a name of its own. Its base model then tells the family.
  const names = familyOf(facts.names.join(' ')) === null ? facts.baseModels : facts.names;
  const namedFamily = familyOf(names.join(' '));
  const family = facts.family ?? namedFamily;
  const relatives =
    family === null
      ? []
      : published.models.filter((known) => known.family?.toLowerCase() === family.toLowerCase());
  // The words that a name shares with known names are chance where it does not tell its family.
  const namesakes = namedFamily === null ? [] : mostSimilar(names, relatives);
  const releaseDate = atMostNewest(
    statedDate(facts) ??
      medianDate(namesakes) ??
      // After the namesakes, because later models often keep the architecture of earlier ones.
      dateOfArchitecture(facts.architecture) ??
      medianDate(relatives) ??
      medianDate(published.models),
    published,
  );
  const thinking = thinkingShare(facts, use, namesakes.length > 0 ? namesakes : relatives);

  const weights = published.weights[use];
  const index = QUALITY_USES.indexOf(use);
  let [errors, nearness] = [0, SHRINKAGE];
  for (const known of relatives) {
    const quality = known.quality[index] ?? null;
    if (quality === null) continue;
    const doublings = Math.log2(known.billions / billions) / NEAR.doublings;
    const years = (yearsOf(known.releaseDate) - yearsOf(releaseDate)) / NEAR.years;
    const near = Math.exp(-(doublings ** 2 + years ** 2) / 2);
    errors += near * (scoreOf(quality) - regression(weights, featuresOfKnown(known)));
    nearness += near;
  }
  const score = regression(weights, features({ billions, releaseDate, thinking }));
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

/** How often a model thinks before it answers, 0 to 1. */
function thinkingShare(facts: NamedModel, use: QualityUse, similar: readonly KnownModel[]): number {
  const mode = thinkingMode(facts);
  if (typeof mode === 'boolean') return mode ? 1 : 0;
  // The modes of a model are entries of their own. So half of the entries think where models have both modes.
  const thinkers = similar.filter(isThinkingResult).length;
  if (mode === null && (thinkers === 0 || thinkers < similar.length / 2)) return 0;
  // For reasoning, a model with two modes is judged by its thinking mode.
  return use === 'reasoning' ? 1 : 0.5;
}

/** The known models whose names are most similar. */
function mostSimilar(
  names: readonly string[],
  models: readonly KnownModel[],
): readonly KnownModel[] {
  const own = names.map((name) => wordsWithoutSizes(comparableName(name)));
  let best = -Infinity;
  let found: KnownModel[] = [];
  for (const known of models) {
    const others = wordsOfKnown(known);
    for (const words of own) {
      const similarity = similarityOf(words, others);
      if (similarity > best) {
        best = similarity;
        found = [];
      }
      if (similarity === best && found.at(-1) !== known) found.push(known);
    }
  }
  return found;
}

/** The release date, else the month in a name or in that of a base model; `null`: none is known. */
function statedDate({ releaseDate, names, baseModels }: NamedModel): string | null {
  if (releaseDate !== null && Number.isFinite(Date.parse(releaseDate))) return releaseDate;
  return [...names, ...baseModels].map(dateInName).find((date) => date !== null) ?? null;
}

/** `null`: there are no models. */
function medianDate(models: readonly KnownModel[]): string | null {
  const dates = models.map(({ releaseDate }) => releaseDate).sort();
  return dates[Math.floor((dates.length - 1) / 2)] ?? null;
}

const newestDates = new WeakMap<PublishedQuality, string>();

/**
 * The date, or the date of the newest published result where that is earlier. No result shows how far models have improved since then, and
 * a parabola that goes on would make every later model perfect.
 */
function atMostNewest(date: string | null, published: PublishedQuality): string {
  if (date === null) throw new Error('There are no published results.');
  const newest =
    newestDates.get(published) ??
    published.models.reduce((max, one) => (one.releaseDate > max ? one.releaseDate : max), '');
  newestDates.set(published, newest);
  return Date.parse(date) > Date.parse(newest) ? newest : date;
}

const knownWords = new WeakMap<KnownModel, ReadonlySet<string>>();

/** The words of a known model, kept from the first question on. */
function wordsOfKnown(known: KnownModel): ReadonlySet<string> {
  const words = knownWords.get(known) ?? wordsWithoutSizes(known.comparableNames[0] ?? '');
  knownWords.set(known, words);
  return words;
}

function yearsOf(date: string): number {
  return (Date.parse(date) - ORIGIN_MS) / YEAR_MS;
}

/**
 * The score of the regression. Where a parabola would fall again with size or with the date, the value at its
 * vertex counts, because neither a larger nor a newer model is expected to be worse.
 */
function regression(weights: readonly number[], values: readonly number[]): number {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0] = weights;
  const [, size = 0, , date = 0, , thinking = 0] = values;
  return (
    w0 + risingParabola(w1, w2, size) + risingParabola(w3, w4, date) + thinking * (w5 + w6 * date)
  );
}

/** linear x value + square x value^2, held at the vertex on the side where it falls. */
function risingParabola(linear: number, square: number, value: number): number {
  const vertex = -linear / (2 * square);
  const held = square < 0 ? Math.min(value, vertex) : square > 0 ? Math.max(value, vertex) : value;
  return linear * held + square * held ** 2;
}
