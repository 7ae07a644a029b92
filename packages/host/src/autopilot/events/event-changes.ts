import type { AutopilotEvent } from '@mai/autopilot';
import { asServed } from '../../selection/as-served.js';
import { eventJson } from './event-json.js';

/** After this time a decision is reported again, even if nothing has changed. */
const REPEAT_MS = 60_000;
/** The most targets of callers whose last decision is remembered. */
const TARGETS_MAX = 64;

type Decided = Extract<AutopilotEvent, { type: 'decided' }>;

/**
 * Makes a function that converts events to objects for lines of JSON, and leaves out events without news. `null`: no line.
 *
 * - The autopilot decides every second. A decision is reported if it differs from the last one of the same target in more than its
 *   figures: in the choice, the plan, the verdict, the residents or the reasons. A decision without a change is reported once a
 *   minute. So a reader sees that the autopilot runs, and a closed pipe is noticed.
 * - A load reports its progress about a hundred times. It is reported at most once for each tenth of the load.
 *
 * @param errorJson - converts a thrown value to an object
 */
export function createEventChanges(
  errorJson: (error: unknown) => object,
): (event: AutopilotEvent) => object | null {
  const published = new Map<string, { readonly atMs: number; readonly content: string }>();
  let nextTenth = 0;

  const isNews = (event: Decided): boolean => {
    const { atMs, target } = event;
    const key = JSON.stringify(target);
    const content = contentOf(event);
    const last = published.get(key);
    // The clock may be set back meanwhile.
    if (last?.content === content && Math.abs(atMs - last.atMs) < REPEAT_MS) return false;
    published.delete(key);
    published.set(key, { atMs, content });
    const [oldest] = published.keys();
    if (published.size > TARGETS_MAX && oldest !== undefined) published.delete(oldest);
    return true;
  };

  return (event) => {
    if (event.type === 'decided') {
      nextTenth = 0;
      return isNews(event) ? eventJson(event, errorJson) : null;
    }
    if (event.type === 'switch-step' && event.step.type === 'loading') {
      const tenth = Math.floor(event.step.progressRatio * 10);
      if (tenth < nextTenth) return null;
      nextTenth = tenth + 1;
    } else if (event.type !== 'emergency') {
      nextTenth = 0;
    }
    // After a switch, the next decision is always reported.
    if (event.type === 'switch-finished') published.clear();
    return eventJson(event, errorJson);
  };
}

/** The parts of a decision whose change is reported, as text: everything except figures that vary all the time. */
function contentOf({ selection, verdict, input }: Decided): string {
  const { decision, direction, plan, afterDrain, rejected, notes } = selection;
  const { chosen } = asServed(selection, input);
  return JSON.stringify([
    decision,
    direction,
    chosen && [chosen.modelKey, chosen.instanceIdentifier, chosen.loadOption.loadConfig],
    plan.steps.map((step) => [
      step.action,
      step.action === 'load' ? step.modelKey : step.instanceIdentifier,
    ]),
    afterDrain?.waitsFor ?? null,
    verdict.act,
    verdict.reason,
    input.residents.map(({ instanceIdentifier, modelKey, busy, pinned, foreign }) => [
      instanceIdentifier,
      modelKey,
      busy,
      pinned,
      foreign,
    ]),
    rejected.map(({ modelKey, rejection }) => [modelKey, rejection.code]),
    notes.map(({ code }) => code),
  ]);
}
