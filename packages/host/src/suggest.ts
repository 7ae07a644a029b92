/** The known word that is most similar to the user's; `null` where none is similar enough. */
export function suggest(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  const startingSo = known.filter((candidate) => candidate.toLowerCase().startsWith(wanted));
  if (wanted.length >= 2 && startingSo.length === 1) return startingSo[0] ?? null;
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (best === null || distance < best.distance) best = { word: candidate, distance };
  }
  // Up to one edit for every three letters counts as a typing error; more edits make another word.
  const isClose = best !== null && best.distance <= Math.max(1, Math.floor(wanted.length / 3));
  return isClose ? (best?.word ?? null) : null;
}

/** Optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const above = rows[row - 1] ?? [];
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (rows[row - 2]?.[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    rows.push(current);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
