import {
  addCharges,
  chargeResidents,
  NO_CHARGE,
  subtractCharge,
  usedBytes,
  type Charge,
  type PoolBytes,
  type PoolName,
  type ResidentObservation,
  type Resources,
} from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import { isBusy } from '../instances/instance-state.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { GrowthMemory } from './growth-memory.js';

/** The readings of one observation. */
export interface GrowthReadings {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly residents: readonly Resident[];
  readonly instances: readonly RuntimeInstance[];
  /** Whether `instances` were listed for this observation. */
  readonly fresh: boolean;
  /** The measured figures. Memory that yields keep free is not taken off, so it counts as available. */
  readonly resources: Resources;
  /** Anonymous RAM of the engine's process, by instance identifier, where it is known. */
  readonly processBytes: ReadonlyMap<string, number>;
}

/** A resident that is watched. */
interface Watched {
  readonly modelKey: string;
  readonly loadedAtMs: number;
  /** The use before the load, without residents that were unloaded since. */
  readonly before: Charge;
  /** The change of use since the load while every resident was idle. */
  readonly movedWhileIdle: Charge;
  readonly busy: boolean;
  readonly lastUsedAtMs: number | null;
  /** The part of the resident that the OS counts as used, at the last observation. */
  readonly counted: Charge;
  /** The part of `counted` above the expected size. */
  readonly grown: Charge;
}

/**
 * Watches residents for growth after their load, so that this growth is not counted as the use of others.
 *
 * For each resident, the use just before its load is kept. What use has risen by since then is the growth of the
 * resident. But an engine grows only while it works. So if use rises while every resident is idle, others have taken
 * the memory, and the rise is added to the kept figure.
 */
export class GrowthWatch {
  readonly #memory = new GrowthMemory();
  #watched: ReadonlyMap<string, Watched> = new Map();
  /** Use of each pool at the last observation. */
  #use: Charge = NO_CHARGE;
  /** Use of each pool at the last observation with a new listing. */
  #listedUse: Charge = NO_CHARGE;
  /** Loads since the last listing, by instance identifier: when the load began, and the use then. */
  #loads = new Map<string, { readonly atMs: number; readonly use: Charge }>();
  /** Instances that Mai has unloaded since the last listing. */
  readonly #unloads = new Set<string>();

  /** Call before the load of an instance. */
  loads(instanceIdentifier: string, atMs: number): void {
    if (this.#loads.has(instanceIdentifier)) return;
    this.#loads.set(instanceIdentifier, { atMs, use: this.#use });
  }

  /** Call before the unload of an instance. The freed memory shows the growth of the instance. */
  unloads(instanceIdentifier: string): void {
    this.#unloads.add(instanceIdentifier);
  }

  /** The observed growth of copies of a model, in each pool. Empty when no growth was observed. */
  observedGrowth(modelKey: string, nowMs: number): readonly PoolBytes[] {
    const now = [...this.#watched.values()].flatMap((one) =>
      one.modelKey === modelKey ? [one.grown] : [],
    );
    return this.#memory.recall(modelKey, now, nowMs);
  }

  /** Takes one observation. Returns the residents with the observations of their memory. */
  observe(readings: GrowthReadings): readonly Resident[] {
    const { residents, resources, fresh, processBytes, atMs } = readings;
    const use = byPool(usedBytes(resources));
    if (fresh) this.#follow(readings, use);
    // Between two listings, residents that were idle count as idle.
    const moved = fresh || !this.#areIdle() ? NO_CHARGE : subtractCharge(use, this.#listedUse);
    const observed = residents.map((resident) => ({
      ...resident,
      observation: observationOf(
        this.#watched.get(resident.instanceIdentifier),
        moved,
        processBytes.get(resident.instanceIdentifier) ?? null,
        atMs,
      ),
    }));
    const charged = chargeResidents(observed, resources, 'ignore');
    this.#watched = new Map(
      residents.flatMap(({ instanceIdentifier }, index) => {
        const watched = this.#watched.get(instanceIdentifier);
        const { counted = NO_CHARGE, grown = NO_CHARGE } = charged[index] ?? {};
        return watched === undefined
          ? []
          : [[instanceIdentifier, { ...watched, counted, grown }] as const];
      }),
    );
    this.#use = use;
    return observed;
  }

  #areIdle(): boolean {
    return [...this.#watched.values()].every(({ busy }) => !busy);
  }

  /** Follows loads, unloads and changes of use since the last listing. */
  #follow({ atMs, residents, instances, resources }: GrowthReadings, use: Charge): void {
    const listed = new Map(instances.map((one) => [one.instanceIdentifier, one]));
    const stays = ({ instanceIdentifier, modelKey }: Resident): boolean =>
      this.#watched.get(instanceIdentifier)?.modelKey === modelKey &&
      !this.#loads.has(instanceIdentifier);
    const stayed = residents.filter(stays);
    const arrived = residents.filter((one) => !stays(one));
    const expected = chargeResidents(
      arrived.map(({ footprint }) => ({ footprint, observation: null })),
      resources,
      'ignore',
    ).map(({ counted }) => counted);
    const stayedKeys = new Set(stayed.map(({ instanceIdentifier }) => instanceIdentifier));
    const gone = [...this.#watched].filter(([identifier]) => !stayedKeys.has(identifier));
    const freed = subtractCharge(addCharges([this.#listedUse, ...expected]), use);
    const unloaded = this.#learn(gone, freed, atMs);

    const next = new Map<string, Watched>();
    for (const { instanceIdentifier } of stayed) {
      const before = this.#watched.get(instanceIdentifier);
      if (before === undefined) continue;
      const now = activityOf(listed.get(instanceIdentifier), atMs);
      next.set(instanceIdentifier, { ...before, ...now });
    }
    const worked =
      !this.#areIdle() ||
      [...next].some(
        ([identifier, { busy, lastUsedAtMs }]) =>
          busy || lastUsedAtMs !== this.#watched.get(identifier)?.lastUsedAtMs,
      );
    const isQuiet = !worked && arrived.length === 0 && gone.length === 0;
    const moved = isQuiet ? subtractCharge(use, this.#listedUse) : NO_CHARGE;
    for (const [identifier, one] of next) {
      const earlier = unloaded.filter(({ loadedAtMs }) => loadedAtMs < one.loadedAtMs);
      next.set(identifier, {
        ...one,
        before: subtractCharge(one.before, addCharges(earlier.map(({ took }) => took))),
        movedWhileIdle: addCharges([one.movedWhileIdle, moved]),
      });
    }
    for (const [index, { instanceIdentifier, modelKey }] of arrived.entries()) {
      const load = this.#loads.get(instanceIdentifier);
      next.set(instanceIdentifier, {
        modelKey,
        loadedAtMs: load?.atMs ?? atMs,
        // Where the use before the load is not known, it follows from the expected size.
        before: load?.use ?? subtractCharge(use, addCharges(expected.slice(index))),
        movedWhileIdle: NO_CHARGE,
        ...activityOf(listed.get(instanceIdentifier), atMs),
        counted: NO_CHARGE,
        grown: NO_CHARGE,
      });
    }
    this.#watched = next;
    this.#listedUse = use;
    this.#loads = new Map();
    this.#unloads.clear();
  }

  /**
   * Works out the memory of the residents that are gone. Remembers the growth of those that Mai has unloaded.
   * After an unload by others, it is not known how much of the freed memory was the model's.
   */
  #learn(
    gone: readonly (readonly [string, Watched])[],
    freed: Charge,
    atMs: number,
  ): readonly { readonly loadedAtMs: number; readonly took: Charge }[] {
    const left = new Map(freed);
    const sizes = gone.map(([, { counted, grown }]) => subtractCharge(counted, grown));
    for (const [pool, bytes] of addCharges(sizes)) left.set(pool, (left.get(pool) ?? 0) - bytes);
    return gone.map(([identifier, { modelKey, loadedAtMs, counted, grown }], index) => {
      if (!this.#unloads.has(identifier)) return { loadedAtMs, took: counted };
      const had = new Map<PoolName, number>();
      for (const [pool, bytes] of grown) {
        const bytesBack = Math.min(bytes, Math.max(0, left.get(pool) ?? 0));
        left.set(pool, (left.get(pool) ?? 0) - bytesBack);
        if (bytesBack > 0) had.set(pool, bytesBack);
      }
      this.#memory.remember(modelKey, had, atMs);
      return { loadedAtMs, took: addCharges([sizes[index] ?? NO_CHARGE, had]) };
    });
  }
}

function observationOf(
  watched: Watched | undefined,
  moved: Charge,
  processBytes: number | null,
  atMs: number,
): ResidentObservation {
  if (watched === undefined) return { loadedAtMs: atMs, processBytes, usedBefore: [] };
  const { loadedAtMs, before, movedWhileIdle } = watched;
  const usedBefore = [...before].map(([pool, bytes]) => {
    const movedBytes = (movedWhileIdle.get(pool) ?? 0) + (moved.get(pool) ?? 0);
    // A fall is not subtracted: others may have freed memory that they took while a resident worked.
    return { pool, bytes: bytes + Math.max(0, movedBytes) };
  });
  return { loadedAtMs, processBytes, usedBefore };
}

function activityOf(
  instance: RuntimeInstance | undefined,
  nowMs: number,
): Pick<Watched, 'busy' | 'lastUsedAtMs'> {
  return {
    busy: instance !== undefined && isBusy(instance, nowMs),
    lastUsedAtMs: instance?.lastUsedAtMs ?? null,
  };
}

function byPool(bytes: readonly PoolBytes[]): Charge {
  return new Map(bytes.map((one) => [one.pool, one.bytes]));
}
