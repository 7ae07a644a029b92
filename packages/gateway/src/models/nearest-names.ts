/** The most names that a message offers. */
const OFFERED_MAX = 3;

/**
 * The known names that a written one probably means, the nearest first: names that differ in the publisher, the case or
 * the variant only, names that contain the written one, and names with few wrong letters.
 */
export function nearestNames(written: string, known: Iterable<string>): readonly string[] {
  const wanted = baseName(written);
  if (wanted === '') return [];
  const scored = [...new Set(known)].map((name) => ({
    name,
    score: score(wanted, baseName(name)),
  }));
  return scored
    .filter(({ score }) => score < 1)
    .sort((one, other) => one.score - other.score)
    .slice(0, OFFERED_MAX)
    .map(({ name }) => name);
}

/** 0 for the same name, below 1 for a similar one. */
function score(wanted: string, name: string): number {
  if (wanted === name) return 0;
  const [short, long] = wanted.length < name.length ? [wanted, name] : [name, wanted];
  if (short.length >= 3 && long.includes(short)) return 0.5 - short.length / (4 * long.length);
  const distance = editDistance(wanted.slice(0, 100), name.slice(0, 100));
  return 0.5 + (distance * 3) / (2 * (wanted.length + 1));
}

/** A name without its publisher and its variant, in lower case. */
function baseName(name: string): string {
  return name
    .slice(name.lastIndexOf('/') + 1)
    .replace(/@.*$/, '')
    .toLowerCase();
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
