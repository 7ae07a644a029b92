import { withoutSizes } from './comparable-name.js';
import type { KnownModel, PublishedQuality } from './model-facts.js';
import { publishedRows, publishedWeights } from './published-quality.generated.js';

// The tables are made on their first use, so that commands that need no quality start faster.

let quality: PublishedQuality | null = null;

/** The published results. */
export function publishedQuality(): PublishedQuality {
  quality ??= {
    weights: publishedWeights,
    models: publishedRows().map(
      ([name, comparableNames, family, releaseDate, billions, reasoning, figures]) => ({
        name,
        comparableNames,
        family,
        releaseDate,
        billions,
        quality: figures,
        reasoning: reasoning === 1,
      }),
    ),
  };
  return quality;
}

/** Known models by their names. */
export type NameIndex = ReadonlyMap<string, readonly KnownModel[]>;

let byName: NameIndex | null = null;
let byWords: NameIndex | null = null;
let byWordsWithoutSizes: NameIndex | null = null;

/** The known models by their names in the published results, in small letters. */
export function modelsByName(): NameIndex {
  byName ??= indexBy(({ name }) => [name.trim().toLowerCase()]);
  return byName;
}

/** The known models by each of their `comparableNames`. */
export function modelsByWords(): NameIndex {
  byWords ??= indexBy(({ comparableNames }) => comparableNames);
  return byWords;
}

/** The known models by the words of their names without the size. */
export function modelsByWordsWithoutSizes(): NameIndex {
  byWordsWithoutSizes ??= indexBy(({ comparableNames: [own = ''] }) => [withoutSizes(own)]);
  return byWordsWithoutSizes;
}

function indexBy(keysOf: (known: KnownModel) => readonly string[]): NameIndex {
  const index = new Map<string, KnownModel[]>();
  for (const known of publishedQuality().models) {
    for (const key of keysOf(known)) index.set(key, [...(index.get(key) ?? []), known]);
  }
  return index;
}
