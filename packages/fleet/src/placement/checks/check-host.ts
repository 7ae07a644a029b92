import type { KnownHost } from '../../state/known-host.js';
import type { NotTakenReason } from '../placement.js';
import type { PlacementInput } from '../placement-input.js';

/** Why another host cannot serve any request like this one; null where it can. */
export function checkHost(known: KnownHost, input: PlacementInput): NotTakenReason | null {
  const { state, heartbeat, usable, silentMs, kind } = known;
  const { request, policy } = input;
  if (!usable) return { code: 'NOT_USABLE', silentMs };
  if (kind === 'mai') {
    if (heartbeat !== null && heartbeat.epoch !== state.epoch) return { code: 'RESTARTED' };
    if (heartbeat?.ready === false) return { code: 'STOPPING' };
    if (state.address === null) return { code: 'NO_ADDRESS' };
  }
  if (policy.chainsThatMayLeave !== null) {
    const { chain } = request;
    if (chain === null || !policy.chainsThatMayLeave.includes(chain)) {
      return { code: 'CHAIN_STAYS', chain };
    }
  }
  for (const label in policy.labels) {
    const wanted = policy.labels[label] ?? '';
    const found = Object.hasOwn(state.labels, label) ? (state.labels[label] ?? null) : null;
    if (found !== wanted) return { code: 'LABEL_DIFFERS', label, wanted, found };
  }
  return null;
}
