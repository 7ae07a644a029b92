import type { z } from 'zod';
import { messageOf } from '../../error-facts.js';
import type { MachineEvent, SwitchStep } from '../../ports/control-facts.js';
import type { controlEvent } from '../schemas/events.js';
import { journalView } from '../views/journal-view.js';
import { markOf } from '../watch/switches.js';

/** An event of `/api/mai/events`. */
export type ControlEvent = z.output<typeof controlEvent>;

/** An event before it gets its id. */
export type NewEvent = ControlEvent extends infer One
  ? One extends ControlEvent
    ? Omit<One, 'id'>
    : never
  : never;

/** An event of the autopilot for the page; null where the page does not show it. */
export function controlEventOf(event: MachineEvent): NewEvent | null {
  const { atMs } = event;
  const notice = (code: string, text: string): NewEvent => ({ type: 'notice', atMs, code, text });
  switch (event.type) {
    case 'decided': {
      const { selection, verdict } = event;
      return {
        type: event.type,
        atMs,
        decision: selection.decision,
        modelKey: selection.chosen?.modelKey ?? null,
        reason: verdict.reason,
        acted: verdict.act,
      };
    }
    case 'switch-started':
      return { type: event.type, atMs, reason: event.reason };
    case 'switch-step':
      return { type: event.type, atMs, ...stepOf(event.step) };
    case 'switch-finished': {
      const { loaded, unloaded, ...mark } = markOf(event);
      return {
        type: event.type,
        atMs,
        mark: { ...mark, loaded: [...loaded], unloaded: [...unloaded] },
      };
    }
    case 'journal-changed':
      return { type: 'journal', atMs, ...journalView(event.journal) };
    case 'load-interrupted':
      return notice(event.type, `Loading ${event.modelKey} was stopped, because memory ran out.`);
    case 'put-off':
      return notice(event.type, `The switch waits for ${event.busy.join(', ')} to finish.`);
    case 'emergency':
      return notice(event.type, `Memory is over its hard limit: ${event.pools.join(', ')}.`);
    case 'breaker-opened':
      return notice(event.type, 'Many loads have failed, so no load is tried for a while.');
    case 'duplicates':
      return notice(
        event.type,
        `${event.modelKey} is loaded more than once: ${event.instanceIdentifiers.join(', ')}.`,
      );
    case 'fault':
      return notice(event.type, messageOf(event.error));
    case 'catalog-rejected':
      return notice(event.type, `The configuration cannot be read: ${messageOf(event.error)}`);
    case 'left-loaded':
      return notice(
        event.type,
        `${event.instanceIdentifier} stays loaded, because it is ${event.why}.`,
      );
    case 'resident-ended':
      return notice(
        event.type,
        `The engine of ${event.instanceIdentifier} has ended (${event.how}).`,
      );
    case 'started':
      return notice(event.type, 'The autopilot has started.');
    case 'recovered':
      return notice(event.type, 'The autopilot works again.');
    case 'idle':
      return notice(event.type, 'No model was used for a while. The next request loads one.');
    case 'stopped':
      return notice(event.type, 'The autopilot has stopped.');
    case 'drain-ended':
      return null;
  }
}

function stepOf(step: SwitchStep): {
  step: string;
  modelKey: string | null;
  instanceIdentifier: string | null;
  progressRatio: number | null;
} {
  const none = { modelKey: null, instanceIdentifier: null, progressRatio: null };
  switch (step.type) {
    case 'observing':
    case 'settling':
      return { ...none, step: step.type };
    case 'loaded': {
      const { modelKey, instanceIdentifier } = step.instance;
      return { step: step.type, modelKey, instanceIdentifier, progressRatio: 1 };
    }
    case 'load-failed':
      return { ...none, step: step.type, modelKey: step.failure.modelKey };
    case 'loading': {
      const { modelKey, instanceIdentifier, progressRatio } = step;
      const ratio = Math.min(1, Math.max(0, progressRatio));
      return { step: step.type, modelKey, instanceIdentifier, progressRatio: ratio };
    }
    default: {
      const { modelKey, instanceIdentifier } = step;
      return { ...none, step: step.type, modelKey, instanceIdentifier };
    }
  }
}
