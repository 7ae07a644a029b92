import type { ChargedResident, Pool } from './pools.js';
import type { Charge } from './charge.js';
import type { Evictability } from './evictable.js';
import { rejectionOf, worstExcess, type Excess, type Strictness } from './fit.js';
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
  | { readonly kind: 'fits'; readonly plan: Plan }
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
  const without = (list: readonly Resident[]): readonly Resident[] =>
    target.resident === null ? list : list.filter((one) => one !== target.resident);
  const excessWithout = (list: readonly Resident[]): Excess | null =>
    worstExcess(
      pools,
      target.needed,
      chargesOf(residents, target.resident === null ? list : [...list, target.resident]),
      strictness,
    );
  const superseded = without(evictability.superseded);
  const spare = without(evictability.spare);
  const idle = without(evictability.idle);

  // The common case first: most candidates of a long chain do not fit whatever goes.
  if (excessWithout(without(evictability.movable)) !== null) return rejected(excessWithout(idle));

  const room = makeRoom(superseded, spare, excessWithout);
  if (room !== null) {
    const plan = writePlan(target, superseded, room, excessWithout([]) === null);
    return { kind: 'fits', plan };
  }
  const drained = makeRoom(idle, without(evictability.draining), excessWithout);
  if (drained === null || drained.length === 0) return rejected(excessWithout(idle));
  return {
    kind: 'after-drain',
    waitsFor: drained.map(({ instanceIdentifier }) => instanceIdentifier),
    plan: writePlan(target, superseded, [...spare, ...drained], false),
  };
}

function rejected(excess: Excess | null): Attempt {
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
  residents: readonly ChargedResident[],
  wanted: readonly Resident[],
): ReadonlyMap<PoolName, number> {
  const charges = new Map<PoolName, number>();
  if (wanted.length === 0) return charges;
  for (const { resident, full } of residents) {
    if (!wanted.includes(resident)) continue;
    for (const [pool, bytes] of full) charges.set(pool, (charges.get(pool) ?? 0) + bytes);
  }
  return charges;
}
