import {
  deviceKeyOf,
  NO_CHARGE,
  worstShortfall,
  type Charge,
  type Limit,
  type Shortfall,
} from '@mai/memory-ledger';
import { chargesOf, reservedBy, reservedByLoad, type Accounts } from '../account/accounts.js';
import type { Resident, SelectionInput } from '../input.js';
import type { Offer } from '../offer/offers.js';
import type { Plan, PlanStep, Rejection } from '../selection.js';

/** An offer that fits, with the plan that makes it resident. */
export interface FittingOffer {
  readonly kind: 'fits';
  readonly offer: Offer;
  readonly plan: Plan;
}

/** An offer that fits as soon as busy instances are idle. */
export interface DrainingOffer {
  readonly kind: 'after-drain';
  readonly offer: Offer;
  /** Identifiers of the busy instances. */
  readonly waitsFor: readonly string[];
  /** The plan to carry out once these instances are idle. */
  readonly plan: Plan;
}

/** The result of an attempt to plan an offer. */
export type Attempt =
  FittingOffer | DrainingOffer | { readonly kind: 'rejected'; readonly rejection: Rejection };

/**
 * Finds a plan without unnecessary evictions that makes an offer resident. The plan unloads the residents that the
 * offer supersedes. Every other resident that it unloads is needed: if that resident stayed, the offer would not fit.
 */
export function planSwitch(
  offer: Offer,
  input: Pick<SelectionInput, 'resources' | 'policy'>,
  accounts: Accounts,
  limit: Limit,
): Attempt {
  const { evictability } = accounts;
  const { resident } = offer;
  const exceptResident = (list: readonly Resident[]): readonly Resident[] =>
    resident === null ? list : list.filter((one) => one !== resident);
  const shortfallWithout = (gone: readonly Resident[]): Shortfall | null =>
    worstShortfall(accounts.pools, offer.needed, {
      limit,
      // A resident needs no further room, so its own charge counts as freed.
      freed: chargesOf(accounts, resident === null ? gone : [...gone, resident]),
    });
  const superseded = exceptResident(evictability.superseded);
  const spare = exceptResident(evictability.spare);
  const idle = exceptResident(evictability.idle);

  // Most candidates of a long chain do not fit even after every eviction, so this is checked first.
  const afterAll = shortfallWithout(exceptResident(evictability.movable));
  const reject = (shortfall: Shortfall): Attempt => {
    const growthBytes = growthOf(offer, input, accounts).get(shortfall.pool) ?? 0;
    return { kind: 'rejected', rejection: rejectionOf(shortfall, growthBytes) };
  };
  if (afterAll !== null) return reject(shortfallWithout(idle) ?? afterAll);

  const now = makeRoom(superseded, spare, shortfallWithout);
  if (now.shortfall === null) {
    const besideAll = shortfallWithout([]) === null;
    return { kind: 'fits', offer, plan: writePlan(offer, superseded, now.evicted, besideAll) };
  }
  // As few busy residents as possible are waited for, so every idle one counts as unloaded here.
  const busy = makeRoom(idle, exceptResident(evictability.draining), shortfallWithout);
  if (busy.shortfall !== null) return reject(now.shortfall);
  // Without the busy residents, fewer spare ones have to be unloaded.
  const freed = makeRoom([...superseded, ...busy.evicted], spare, shortfallWithout);
  return {
    kind: 'after-drain',
    offer,
    waitsFor: busy.evicted.map(({ instanceIdentifier }) => instanceIdentifier),
    plan: writePlan(offer, superseded, [...freed.evicted, ...busy.evicted], false),
  };
}

/** The part of the charge of an offer that is held for growth. */
function growthOf(
  { candidate, option, resident, needed }: Offer,
  { resources, policy }: Pick<SelectionInput, 'resources' | 'policy'>,
  accounts: Accounts,
): Charge {
  if (resident !== null) return reservedBy(accounts, [resident]);
  // Most loads are charged no growth. Their growth is not worked out, which saves time in long chains.
  const mayGrow =
    candidate.observedGrowth.length > 0 ||
    (policy.growth !== 'ignore' && option.footprint?.growth !== null);
  return mayGrow ? reservedByLoad(option, resources, needed) : NO_CHARGE;
}

/** The rejection for a pool that is too small. */
function rejectionOf(
  { pool, shortfallBytes, neededBytes, allowedBytes }: Shortfall,
  growthBytes: number,
): Rejection {
  const deviceKey = deviceKeyOf(pool);
  // Each field is named, because object spread would take a large part of the time of a decision.
  return deviceKey === null
    ? { code: 'INSUFFICIENT_RAM', shortfallBytes, neededBytes, allowedBytes, growthBytes }
    : {
        code: 'INSUFFICIENT_VRAM',
        deviceKey,
        shortfallBytes,
        neededBytes,
        allowedBytes,
        growthBytes,
      };
}

interface MadeRoom {
  readonly evicted: readonly Resident[];
  /** The shortfall after all evictions; `null` where there is room. */
  readonly shortfall: Shortfall | null;
}

/**
 * Chooses residents of `spare` to evict, in their order, until there is room. The residents of `gone` are
 * unloaded in any case.
 */
function makeRoom(
  gone: readonly Resident[],
  spare: readonly Resident[],
  shortfallWithout: (list: readonly Resident[]) => Shortfall | null,
): MadeRoom {
  let evicted: readonly Resident[] = [];
  let shortfall = shortfallWithout(gone);
  for (const next of spare) {
    if (shortfall === null) break;
    evicted = [...evicted, next];
    shortfall = shortfallWithout([...gone, ...evicted]);
  }
  if (shortfall !== null) return { evicted, shortfall };
  // Drop the evictions that a later eviction of a larger resident made unnecessary.
  for (const one of evicted) {
    const without = evicted.filter((other) => other !== one);
    if (shortfallWithout([...gone, ...without]) === null) evicted = without;
  }
  return { evicted, shortfall };
}

/** @param besideAll - whether the offer fits while every resident stays. */
function writePlan(
  { candidate, option, resident }: Offer,
  superseded: readonly Resident[],
  room: readonly Resident[],
  besideAll: boolean,
): Plan {
  const unloads = [
    ...room.map((one) => unloadStep(one, 'make-room')),
    ...superseded.map((one) => unloadStep(one, 'superseded')),
  ];
  if (resident !== null) return { steps: unloads, order: null };
  const load: PlanStep = { action: 'load', modelKey: candidate.modelKey, loadOption: option };
  if (unloads.length === 0) return { steps: [load], order: null };
  // If the old and the new model do not fit together, unload first. A failed load can be rolled back, but a
  // machine that swaps hangs.
  return besideAll
    ? { steps: [load, ...unloads], order: 'make-before-break' }
    : { steps: [...unloads, load], order: 'break-before-make' };
}

/** The step that unloads a resident. */
export function unloadStep(
  { instanceIdentifier, modelKey }: Resident,
  why: 'superseded' | 'make-room',
): PlanStep {
  return { action: 'unload', instanceIdentifier, modelKey, why };
}
