import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Candidate, Resident } from '../input.js';

/** The residents that a plan may unload, grouped by when they may be unloaded. */
export interface Evictability {
  /** Our idle residents of this chain that are not retained. The chosen model takes their place. */
  readonly superseded: readonly Resident[];
  /** Residents that are unloaded only when their memory is needed, in this order. */
  readonly spare: readonly Resident[];
  /** Our busy residents. They may be unloaded once they are idle. */
  readonly draining: readonly Resident[];
  /** Residents that may be unloaded now: superseded and spare. */
  readonly idle: readonly Resident[];
  /** Residents that may be unloaded now or once they are idle. */
  readonly movable: readonly Resident[];
}

/**
 * Sorts the residents by whether they may be evicted.
 *
 * - A pinned resident is never evicted. A busy resident is not evicted before it is idle. A foreign resident
 *   is evicted only as far as the policy allows.
 * - Our retained residents and those of another chain are evicted before foreign ones. Within each group,
 *   the least recently used is evicted first.
 *
 * @param retained - identifiers of residents that are unloaded only when their memory is needed.
 */
export function sortByEvictability(
  residents: readonly Resident[],
  candidates: readonly Candidate[],
  resources: Resources,
  policy: SelectionPolicy,
  retained: readonly string[] = [],
): Evictability {
  const keys = new Set(candidates.map(({ modelKey }) => modelKey));
  const isSuperseded = ({ modelKey, instanceIdentifier }: Resident): boolean =>
    keys.has(modelKey) && !retained.includes(instanceIdentifier);
  const movable = residents.filter((resident) => !resident.pinned);
  const ours = movable.filter((resident) => !resident.foreign);
  const idle = ours.filter((resident) => !resident.busy);
  const foreign = movable.filter(
    (resident) =>
      resident.foreign && !resident.busy && mayEvictForeign(resident, resources, policy),
  );
  const superseded = idle.filter(isSuperseded);
  const spare = [
    ...leastRecentlyUsedFirst(idle.filter((resident) => !isSuperseded(resident))),
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
      // A resident whose last use is unknown may have been busy a moment ago.
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
