import type { Selection } from '../../ports/selection.js';

/** Rejected models that a message names. */
const NAMED_MAX = 5;

/** The first rejected models with their reasons. */
export function listed(rejected: Selection['rejected']): string {
  const named = rejected
    .slice(0, NAMED_MAX)
    .map(({ modelKey, rejection }) => `${modelKey} (${rejection.code})`);
  const more = rejected.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
