import { openAccounts } from './account/accounts.js';
import { checkInput } from './check-input.js';
import { concludeSelection } from './conclude/conclude-selection.js';
import { lastResort } from './fall-back/last-resort.js';
import { releasable } from './fall-back/releasable.js';
import type { SelectionInput } from './input.js';
import { findCurrent } from './offer/current.js';
import { withRoom } from './plan/with-room.js';
import { searchChain } from './search/search-chain.js';
import type { Selection } from './selection.js';

/**
 * Chooses the best model that fits. Returns the plan that makes it resident, and a reason for each candidate that was passed over.
 *
 * 1. Open the accounts: the charge of each resident, the use of others, and the residents that may be evicted.
 * 2. Find the current resident: ours, and the most preferred in the chain.
 * 3. Search the chain in order of preference for the first offer that fits and is fast enough.
 *    - A candidate is passed over when it lacks a capability, is outside of the allowed tiers, is not downloaded, has a file that
 *      the engine refuses, or cools down after a failed load.
 *    - Each load option is offered by the residents that serve it, then by a load. A resident with a longer context than the option
 *      asks for serves it.
 *    - Each offer is planned without unnecessary evictions. It fits when, in every pool that it takes memory from, use after the
 *      plan keeps to the limit and leaves the minimum headroom. A step up keeps to the limit less the upgrade margin.
 *    - An offer that fits is too slow when the upper end of its interval is below `minTokensPerSecond`. For a candidate that a
 *      person named, this counts only after a measurement on this machine.
 *    - An offer that fits only after a busy instance is idle is remembered. A less preferred model is then loaded only if nothing
 *      of ours is resident. Where callers wait and no pool is above its limit, the less preferred model is also loaded if loading it
 *      loses less value than waiting.
 *    - If no offer fits and is fast enough, the search is repeated without the minimum speed. Candidates that one entry of the
 *      chain was expanded to are then tried in the order of their value, which is that of the first load option that fits now.
 *      Candidates that a person named keep their order.
 * 4. If the choice is a load, give it the longer context that the callers prefer, where that unloads no other resident and keeps to
 *    the limit less the upgrade margin.
 * 5. If nothing fits, let the last eligible candidate stay or be loaded up to the hard limit, where that frees memory.
 * 6. If still nothing fits and a pool is above its hard limit, release our idle residents in that pool.
 * 7. Conclude: decision, direction, the pools before and after the plan, the rejections and the notes.
 *
 * Pure: the same input always gives the same output. 'Nothing fits' is a value.
 *
 * @throws RangeError for a number of the policy or of the requirement that is NaN or out of its range.
 */
export function selectModel(input: SelectionInput): Selection {
  checkInput(input);
  const accounts = openAccounts(input);
  const current = findCurrent(input);
  const search = searchChain(input, accounts, current);
  const picked =
    search.picked === null
      ? lastResort(input, accounts, current)
      : withRoom(search.picked, input, accounts);
  const released = picked === null ? releasable(accounts) : [];
  return concludeSelection(input, accounts, { ...search, picked, released, current });
}
