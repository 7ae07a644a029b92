import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';

/**
 * Whether the autopilot's own decision would unload a retained resident although no pool is over its limit, only to
 * load a better or a faster model. The autopilot does not carry out such a decision. Otherwise two models that do not
 * fit together would replace each other again and again, although callers ask for only one of them.
 */
export function wouldEvictRetained(selection: Selection, { retained }: AssembledInput): boolean {
  if (retained === undefined) return false;
  if (selection.direction === 'down' && !leavesSlowModel(selection)) return false;
  const { decision, plan, afterDrain, pools } = selection;
  if (decision === 'release' || pools.some((pool) => pool.useBeforeBytes > pool.limitBytes)) {
    return false;
  }
  const steps = [...plan.steps, ...(afterDrain?.plan.steps ?? [])];
  return steps.some(
    (step) => step.action === 'unload' && retained.includes(step.instanceIdentifier),
  );
}

/** Whether the plan unloads a model that fits but is too slow. */
function leavesSlowModel({ plan, rejected }: Selection): boolean {
  return plan.steps.some(
    (step) =>
      step.action === 'unload' &&
      rejected.some((one) => one.modelKey === step.modelKey && one.rejection.code === 'TOO_SLOW'),
  );
}

/** The input in which retained residents are never evicted. */
export function withRetainedPinned(input: AssembledInput): AssembledInput {
  const { retained = [] } = input;
  return {
    ...input,
    residents: input.residents.map((one) =>
      retained.includes(one.instanceIdentifier) ? { ...one, pinned: true } : one,
    ),
  };
}
