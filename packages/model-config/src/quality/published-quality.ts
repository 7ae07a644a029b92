import { comparableNameWithoutSizes } from './comparable-name.js';
import type { KnownModel, PublishedQuality } from './model-facts.js';
import { publishedRows, publishedWeights } from './published-quality.generated.js';

let made: PublishedQuality | null = null;

/** The published results. They are made on the first call. */
export function publishedQuality(): PublishedQuality {
  made ??= {
    weights: publishedWeights,
    models: publishedRows().map(
      ([name, comparableNames, family, releaseDate, billions, reasoning, quality]) => ({
        ...{ name, comparableNames, family, releaseDate, billions, quality },
        reasoning: reasoning === 1,
      }),
    ),
  };
  return made;
}

type Index = ReadonlyMap<string, readonly KnownModel[]>;

/** The known models by their names. */
interface PublishedIndex {
  /** By the name in the published results, in small letters. */
  readonly exact: Index;
  /** By each of `comparableNames`. */
  readonly comparable: Index;
  /** By the words of the name without the size. */
  readonly withoutSizes: Index;
}

let index: PublishedIndex | null = null;

/** The index of `publishedQuality`. It is made on the first call. */
export function publishedIndex(): PublishedIndex {
  const indexBy = (keysOf: (known: KnownModel) => readonly string[]): Index => {
    const byKey = new Map<string, KnownModel[]>();
    for (const known of publishedQuality().models) {
      for (const key of keysOf(known)) byKey.set(key, [...(byKey.get(key) ?? []), known]);
    }
    return byKey;
  };
  index ??= {
    exact: indexBy(({ name }) => [name.trim().toLowerCase()]),
    comparable: indexBy(({ comparableNames }) => comparableNames),
    withoutSizes: indexBy(({ name }) => [comparableNameWithoutSizes(name)]),
  };
  return index;
}
