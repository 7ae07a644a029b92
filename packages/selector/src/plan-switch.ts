import { sum } from './pools.js';
import type { ChargedResident, Pool } from './pools.js';
import type { Charge } from './charge.js';
import type { Evictability } from './evictable.js';
import { rejectionOf, worstExcess, type Strictness } from './fit.js';
import type { LoadOption, Resident } from './input.js';
import type { Plan, PlanStep, PoolName, Rejection } from './selection.js';

/** What a plan would make resident. */
export interface Target {
  readonly modelKey: string;
  /** What it takes. */
  readonly needed: Charge;
  /** The resident that it already is; null when it is to be loaded as `loadOption`. */
  readonly resident: Resident | null;
  readonly loadOption: LoadOption;
}

/** A plan that fits, one that fits once busy instances are done, or why there is none. */
export type Attempt =
  | { readonly kind: 'fits'; readonly plan: Plan; readonly evicted: readonly Resident[] }
  | { readonly kind: 'after-drain'; readonly plan: Plan; readonly waitsFor: readonly string[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** The pools, the residents, and what may happen to each: the same for every attempt of a decision. */
export interface Surroundings {
  readonly pools: readonly Pool[];
  readonly residents: readonly ChargedResident[];
  readonly evictability: Evictability;
}

/**
 * Finds the gentlest plan that makes the target resident: what it supersedes goes, then as few of the
 * spare residents as make room.
 */
export function planSwitch(
  target: Target,
  { pools, residents, evictability }: Surroundings,
  strictness: Strictness,
): Attempt {
  const { superseded, spare, draining } = evictability;
  const others = (list: readonly Resident[]): readonly Resident[] =>
    list.filter((one) => one !== target.resident);
  const freedBy = (list: readonly Resident[]): ReadonlyMap<PoolName, number> =>
    chargesOf(pools, residents, target.resident === null ? list : [...list, target.resident]);
  const excessWithout = (list: readonly Resident[]): ReturnType<typeof worstExcess> =>
    worstExcess(pools, target.needed, freedBy(list), strictness);

  const replaced = others(superseded);
  const room = makeRoom(replaced, others(spare), excessWithout);
  if (room !== null) {
    return {
      kind: 'fits',
      evicted: [...replaced, ...room],
      plan: writePlan(target, replaced, room, excessWithout([]) === null),
    };
  }
  const available = [...replaced, ...others(spare)];
  const drained = makeRoom(available, others(draining), excessWithout);
  if (drained !== null && drained.length > 0) {
    return {
      kind: 'after-drain',
      waitsFor: drained.map(({ instanceIdentifier }) => instanceIdentifier),
      plan: writePlan(target, replaced, [...others(spare), ...drained], false),
    };
  }
  const excess = excessWithout(available);
  if (excess === null)
    throw new Error('A plan that fits was not found; this is a bug in selector.');
  return { kind: 'rejected', rejection: rejectionOf(excess) };
}

/** As few of `spare`, in their order, as make the target fit; null where all of them do not. */
function makeRoom(
  gone: readonly Resident[],
  spare: readonly Resident[],
  excessWithout: (list: readonly Resident[]) => unknown,
): readonly Resident[] | null {
  let chosen: readonly Resident[] = [];
  for (const next of [null, ...spare]) {
    if (next !== null) chosen = [...chosen, next];
    if (excessWithout([...gone, ...chosen]) !== null) continue;
    // A later, larger one may have made an earlier one unnecessary.
    for (const one of chosen) {
      const without = chosen.filter((other) => other !== one);
      if (excessWithout([...gone, ...without]) === null) chosen = without;
    }
    return chosen;
  }
  return null;
}

function writePlan(
  target: Target,
  superseded: readonly Resident[],
  room: readonly Resident[],
  fitsBesideAll: boolean,
): Plan {
  const unload =
    (why: 'superseded' | 'make-room') =>
    (resident: Resident): PlanStep => ({
      action: 'unload',
      instanceIdentifier: resident.instanceIdentifier,
      modelKey: resident.modelKey,
      why,
    });
  const unloads = [...room.map(unload('make-room')), ...superseded.map(unload('superseded'))];
  if (target.resident !== null) return { steps: unloads, order: null };
  const load: PlanStep = {
    action: 'load',
    modelKey: target.modelKey,
    loadOption: target.loadOption,
  };
  if (unloads.length === 0) return { steps: [load], order: null };
  // Unload first where both do not fit: a failed load can be rolled back, a paging machine cannot be
  // reached.
  return fitsBesideAll
    ? { steps: [load, ...unloads], order: 'make-before-break' }
    : { steps: [...unloads, load], order: 'break-before-make' };
}

/** What a set of residents takes, by pool. */
export function chargesOf(
  pools: readonly Pool[],
  residents: readonly ChargedResident[],
  wanted: readonly Resident[],
): ReadonlyMap<PoolName, number> {
  if (wanted.length === 0) return new Map();
  const charges = residents
    .filter(({ resident }) => wanted.includes(resident))
    .map(({ full }) => full);
  return new Map(pools.map(({ name }) => [name, sum(charges, name)]));
}
