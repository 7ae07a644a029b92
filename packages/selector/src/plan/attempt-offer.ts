import type { Limit } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import type { SelectionInput } from '../input.js';
import type { Offer } from '../offer/offers.js';
import { rejectLoad, rejectOption } from '../offer/eligibility.js';
import { planSwitch, type Attempt } from './plan-switch.js';

/**
 * Plans an offer within a limit. A resident may stay even where its load option cannot be loaded again.
 */
export function attemptOffer(
  offer: Offer,
  input: SelectionInput,
  accounts: Accounts,
  limit: Limit,
): Attempt {
  const { requirement, resources } = input;
  const { candidate, option, resident } = offer;
  const rejection =
    resident === null
      ? (rejectLoad(candidate, resources) ?? rejectOption(candidate, option, requirement))
      : null;
  return rejection === null
    ? planSwitch(offer, input, accounts, limit)
    : { kind: 'rejected', rejection };
}
