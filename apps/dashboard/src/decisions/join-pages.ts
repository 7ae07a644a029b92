import type { Decisions } from '../api/api.generated.js';

/**
 * Puts a newly read first page before the pages that are already shown, so that a new decision does not fold away
 * what the user has opened. Where the two do not touch, only the new page is shown.
 */
export function joinNewest(newest: Decisions, shown: Decisions | null): Decisions {
  const last = newest.decisions.at(-1);
  if (shown === null || last === undefined) return newest;
  const index = shown.decisions.findIndex(({ id }) => id === last.id);
  if (index === -1) return newest;
  const older = shown.decisions.slice(index + 1);
  return older.length === 0
    ? newest
    : { ...newest, decisions: [...newest.decisions, ...older], next: shown.next };
}
