import { chargeLoad, unmeasuredPools } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import type { SelectionInput } from '../input.js';
import type { Plan } from '../selection.js';
import { attemptOffer } from './attempt-offer.js';
import type { FittingOffer } from './plan-switch.js';
import { upgradeLimit } from './upgrade-limit.js';

/**
 * The load of an offer with the longer context of its option, where that costs nothing else:
 *
 * - It unloads the same residents, and in the same order with the load.
 * - It keeps to the limit of a step up, so that a small change of the others' use does not make it too large.
 * - The use of each pool that it takes memory from is known.
 *
 * Otherwise the offer as it is. The offer was chosen without the longer context, so that context changes neither the model nor its other
 * settings.
 */
export function withRoom(
  fitting: FittingOffer,
  input: SelectionInput,
  accounts: Accounts,
): FittingOffer {
  const { offer, plan } = fitting;
  const { candidate, option, resident } = offer;
  const { roomier = null } = option;
  if (resident !== null || roomier === null || roomier.footprint === null) return fitting;
  const { resources, policy } = input;
  const needed = chargeLoad(roomier.footprint, resources, policy.growth, candidate.observedGrowth);
  if (unmeasuredPools(resources).some((pool) => (needed.get(pool) ?? 0) > 0)) return fitting;
  const attempt = attemptOffer(
    { ...offer, option: roomier, needed },
    input,
    accounts,
    upgradeLimit(input),
  );
  return attempt.kind === 'fits' && hasSameUnloads(attempt.plan, plan) ? attempt : fitting;
}

function hasSameUnloads(one: Plan, other: Plan): boolean {
  const unloadsOf = ({ order, steps }: Plan): string =>
    JSON.stringify([
      order,
      steps.map((step) => (step.action === 'unload' ? step.instanceIdentifier : null)),
    ]);
  return unloadsOf(one) === unloadsOf(other);
}
