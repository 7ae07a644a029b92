import { loadTimeMs, type LoadOption, type Selection } from '@mai/selector';

/** GPU drivers take up to this long to give back the memory of an unloaded model. */
export const SETTLE_MS = 1500;
/**
 * The cost of a switch beside its load time, as time without a model: requests that arrive during the switch
 * fail, and the new model has none of the earlier prompts in its cache. On random traces, 30 s lost more quality and
 * saved few switches.
 */
export const RECOVERY_MS = 15_000;
/** Most chat answers end within this time. */
export const ANSWER_MS = 8000;

/** The time from now until a decision of the next round has freed memory and a model answers. */
export function reactionMs(
  { chosen, plan, afterDrain }: Selection,
  observeIntervalMs: number,
): number {
  const loads = plan.steps.some((step) => step.action === 'load');
  const drainMs = afterDrain === null ? 0 : ANSWER_MS;
  const option = loads ? (chosen?.loadOption ?? null) : loadAfterDrain(afterDrain);
  const takesMs = option === null ? 0 : loadTimeMs(option);
  return Math.round(observeIntervalMs + SETTLE_MS + drainMs + takesMs);
}

function loadAfterDrain(afterDrain: Selection['afterDrain']): LoadOption | null {
  const load = afterDrain?.plan.steps.find((step) => step.action === 'load');
  return load?.loadOption ?? null;
}
