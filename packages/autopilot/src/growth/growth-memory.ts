import { NO_CHARGE, type Charge, type PoolBytes, type PoolName } from '@mai/memory-ledger';

/** How long the growth of a model is remembered after its unload. Most use repeats from day to day. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Remembers the growth that models had reached when they were unloaded. */
export class GrowthMemory {
  readonly #models = new Map<string, { readonly atMs: number; readonly grown: Charge }>();

  /** Takes the growth of an unloaded copy. Keeps the larger of this growth and the remembered growth. */
  remember(modelKey: string, grown: Charge, atMs: number): void {
    const kept = largest([this.#recall(modelKey, atMs), grown]);
    if (kept.size > 0) this.#models.set(modelKey, { atMs, grown: kept });
  }

  /** The growth of a model in each pool: the larger of the remembered growth and `now`. */
  recall(modelKey: string, now: readonly Charge[], nowMs: number): readonly PoolBytes[] {
    return asPoolBytes(largest([this.#recall(modelKey, nowMs), ...now]));
  }

  #recall(modelKey: string, nowMs: number): Charge {
    const known = this.#models.get(modelKey);
    if (known === undefined) return NO_CHARGE;
    if (nowMs - known.atMs < REMEMBERED_MS) return known.grown;
    this.#models.delete(modelKey);
    return NO_CHARGE;
  }
}

/** Pools and bytes as plain data. */
function asPoolBytes(charge: Charge): readonly PoolBytes[] {
  return [...charge].map(([pool, bytes]) => ({ pool, bytes }));
}

/** The larger number of bytes in each pool. */
function largest(charges: readonly Charge[]): Charge {
  const most = new Map<PoolName, number>();
  for (const charge of charges) {
    for (const [pool, bytes] of charge) most.set(pool, Math.max(bytes, most.get(pool) ?? 0));
  }
  return most;
}
