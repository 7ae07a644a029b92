import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Candidate, Resident } from '../input.js';

/** What a plan may do with each resident. */
export interface Evictability {
  /** Ours, of this chain, and idle: the chosen model takes its place. */
  readonly superseded: readonly Resident[];
  /** May go when its memory is needed, in this order. */
  readonly spare: readonly Resident[];
  /** Ours and busy: may go once it is idle. */
  readonly draining: readonly Resident[];
  /** Everything that may go now: superseded and spare. */
  readonly idle: readonly Resident[];
  /** Everything that may go now or once it is idle. */
  readonly movable: readonly Resident[];
}

/**
 * Sorts the residents by whether they may be evicted. A pinned one never is, a busy one not before it is
 * idle, a foreign one only as far as the policy allows. Our residents of another chain go before foreign
 * ones, and within each group the least recently used goes first.
 */
export function sortByEvictability(
  residents: readonly Resident[],
  candidates: readonly Candidate[],
  resources: Resources,
  policy: SelectionPolicy,
): Evictability {
  const keys = new Set(candidates.map(({ modelKey }) => modelKey));
  const movable = residents.filter((resident) => !resident.pinned);
  const ours = movable.filter((resident) => !resident.foreign);
  const idle = ours.filter((resident) => !resident.busy);
  const foreign = movable.filter(
    (resident) =>
      resident.foreign && !resident.busy && mayEvictForeign(resident, resources, policy),
  );
  const superseded = idle.filter(({ modelKey }) => keys.has(modelKey));
  const spare = [
    ...leastRecentlyUsedFirst(idle.filter(({ modelKey }) => !keys.has(modelKey))),
    ...leastRecentlyUsedFirst(foreign),
  ];
  const draining = ours.filter((resident) => resident.busy);
  return {
    superseded,
    spare,
    draining,
    idle: [...superseded, ...spare],
    movable: [...superseded, ...spare, ...draining],
  };
}

function mayEvictForeign(
  { lastUsedAtMs }: Resident,
  { timestampMs }: Resources,
  { foreign, foreignIdleMs }: SelectionPolicy,
): boolean {
  switch (foreign) {
    case 'observe':
      return false;
    case 'evict':
      return true;
    case 'evict-idle':
      // The last use is unknown, so the resident may have been busy a moment ago.
      return lastUsedAtMs !== null && timestampMs - lastUsedAtMs >= foreignIdleMs;
  }
}

function leastRecentlyUsedFirst(residents: readonly Resident[]): readonly Resident[] {
  return [...residents].sort(
    (a, b) =>
      (a.lastUsedAtMs ?? 0) - (b.lastUsedAtMs ?? 0) ||
      (a.instanceIdentifier < b.instanceIdentifier ? -1 : 1),
  );
}
