/**
 * Names close to what was typed, best first: same words, one contained in the other, or few edits
 * away. Case, separators and a missing publisher do not matter.
 */
export function suggest(wanted: string, known: readonly string[], limit = 3): readonly string[] {
  const target = normalize(wanted);
  if (target === '') return [];
  return known
    .map((name) => ({ name, distance: distanceTo(target, name) }))
    .filter(({ distance }) => distance <= 0.45)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

/** 0: the same but for spelling; 1: nothing in common. */
function distanceTo(target: string, name: string): number {
  const spellings = [normalize(name), normalize(name.split('/').pop() ?? name)];
  return Math.min(
    ...spellings.map((spelling) => {
      if (spelling === '') return 1;
      const longest = Math.max(spelling.length, target.length);
      const edits = editDistance(target, spelling) / longest;
      const contained = spelling.includes(target) || target.includes(spelling);
      // Half a name is a better hint than the same number of edits anywhere.
      return contained ? Math.min(edits, 0.4) : edits;
    }),
  );
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '');
}

/** Levenshtein distance in one row of memory. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
