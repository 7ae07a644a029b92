import type { Selection } from '@mai/selector';

/** A step down that leaves what is busy where it is would take memory in place of giving it back. */
export function onlyAdds({ direction, plan }: Selection): boolean {
  return direction === 'down' && plan.steps.every((step) => step.action === 'load');
}
