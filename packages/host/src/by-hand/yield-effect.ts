import { reserveMemory, type AutopilotState, type Yield } from '@mai/autopilot';
import { selectModel } from '@mai/selector';
import type { YieldAnswer } from '../host.js';

/**
 * The autopilot's last decision, computed again with a further yield. Null where no autopilot runs, or where its last decision was
 * not its own but one for a request.
 *
 * @param one - replaces the yield of the same name
 * @param present - the yields that the last decision has taken into account
 */
export function effectOfYield(
  one: Yield,
  present: readonly Yield[],
  state: AutopilotState | null,
): YieldAnswer['effect'] {
  const decision = state?.decision ?? null;
  if (decision === null || decision.target !== null) return null;
  const { input } = decision;
  const replaced = present.find(({ name, pools }) => name === one.name && pools === one.pools);
  const bytes = Math.max(0, one.bytes - (replaced?.bytes ?? 0));
  const { resources, residents } = reserveMemory(input, [{ ...one, bytes }], {});
  const changed = { ...input, resources, residents };
  return { selection: selectModel(changed), input: changed };
}
