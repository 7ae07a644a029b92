import type { Selection } from '../../ports/selection.js';

/** Rejected models that a message names. */
const NAMED_MAX = 5;

/**
 * The first rejected models with their reasons. Models that are not downloaded are only counted, unless all are: a built-in chain has
 * many of them, and they would hide the others.
 */
export function listed(rejected: Selection['rejected']): string {
  const present = rejected.filter(({ rejection }) => rejection.code !== 'NOT_DOWNLOADED');
  const shown = present.length === 0 ? rejected : present;
  const absent = rejected.length - shown.length;
  const named = shown
    .slice(0, NAMED_MAX)
    .map(({ modelKey, rejection }) => `${modelKey} (${rejection.code})`);
  const more = shown.length - named.length;
  return [
    named.join(', ') + (more > 0 ? ` and ${more} more` : ''),
    ...(absent > 0 ? [`${absent} that ${absent === 1 ? 'is' : 'are'} not downloaded`] : []),
  ].join(', and ');
}
