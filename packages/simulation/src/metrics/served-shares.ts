/** The model that answers from `fromMs` until the next part begins. */
export interface ServedPart {
  /** Null: no model. */
  readonly modelKey: string | null;
  /** Milliseconds since the beginning of the simulation. */
  readonly fromMs: number;
}

/**
 * Divides a simulation into columns of the same length.
 *
 * @param modelKey - null: the time without a model
 * @param served - in order of time. No model is ready before the first part
 * @returns for each column, the share of its time in which the model answered, 0 to 1
 */
export function servedShares(
  modelKey: string | null,
  served: readonly ServedPart[],
  durationMs: number,
  columns: number,
): readonly number[] {
  const shares = Array.from({ length: columns }, () => 0);
  if (durationMs === 0) return shares;
  const columnMs = durationMs / columns;
  const parts = [{ modelKey: null, fromMs: 0 }, ...served];
  parts.forEach((part, index) => {
    if (part.modelKey !== modelKey) return;
    const toMs = Math.min(durationMs, parts[index + 1]?.fromMs ?? durationMs);
    const last = Math.min(columns - 1, Math.floor(toMs / columnMs));
    for (let column = Math.floor(part.fromMs / columnMs); column <= last; column += 1) {
      const beginsMs = Math.max(part.fromMs, column * columnMs);
      const endsMs = Math.min(toMs, (column + 1) * columnMs);
      shares[column] = Math.min(
        1,
        (shares[column] ?? 0) + Math.max(0, endsMs - beginsMs) / columnMs,
      );
    }
  });
  return shares;
}
