import type { LeaveOutcome } from '../pairing/hosts/leave-fleet.js';

/** What leaving a fleet has done, in a sentence or two. */
export function describeLeft(
  outcome: Exclude<LeaveOutcome, { readonly kind: 'has-hosts' }>,
): string {
  if (outcome.kind === 'ended') return 'The fleet has ended, and its keys are deleted.';
  return outcome.told
    ? 'This machine has left the fleet, and its keys are deleted.'
    : 'This machine has left the fleet, and its keys are deleted. The machine that made the fleet has not confirmed it: run `mai fleet remove` with the name of this machine there.';
}
