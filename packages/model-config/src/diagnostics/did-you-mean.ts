/**
 * The name in `known` that `written` probably means. In this order:
 *
 * 1. the same name without the publisher before the slash;
 * 2. the only name that starts with `written`, where `written` has two letters or more;
 * 3. the name with the fewest transposed, missing, extra or wrong letters: at most one such letter
 *    for every three letters of `written`.
 *
 * Case does not matter.
 *
 * @returns `null` where no name is similar enough, or `written` is empty.
 */
export function didYouMean(written: string, known: Iterable<string>): string | null {
  const wanted = written.toLowerCase();
  if (wanted === '') return null;
  const names = [...new Set(known)].map((name) => ({ name, lower: name.toLowerCase() }));
  const same = names.find(({ lower }) => baseName(lower) === baseName(wanted));
  if (same !== undefined) return same.name;
  const [completed, other] = names.filter(({ lower }) => lower.startsWith(wanted));
  if (wanted.length >= 2 && completed !== undefined && other === undefined) return completed.name;
  let best: string | null = null;
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const { name, lower } of names) {
    if (Math.abs(lower.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, lower);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?`, or `null` where no known name is similar enough. */
export function didYouMeanSentence(written: string, known: Iterable<string>): string | null {
  const meant = didYouMean(written, known);
  return meant === null ? null : `did you mean ${JSON.stringify(meant)}?`;
}

function baseName(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

// Optimal string alignment distance: Levenshtein's, with two swapped neighbours counted as one edit.
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
