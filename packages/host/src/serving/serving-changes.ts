import { createEventHub, type AutopilotEvent, type Clock } from '@mai/autopilot';
import type { CallOptions } from '../control/autopilot-service.js';
import type { ServingChange } from './serving.js';

/** Maximum number of unread changes of a reader. */
const BEHIND_MAX = 1024;
/** How often the configuration, the downloads and the presence of an autopilot are looked at. */
const POLL_MS = 1000;

/** The sources of the changes. */
export interface ChangeSources {
  /** The events of the running autopilot; null where no autopilot runs. */
  readonly events: (options: CallOptions) => Promise<AsyncIterable<AutopilotEvent> | null>;
  /** A text that differs once the configuration, the downloads or the residents have changed. */
  readonly catalogText: (options: CallOptions) => Promise<string>;
  readonly clock: Clock;
  /** Fires when the host closes. */
  readonly ending: AbortSignal;
}

/** The changes from now on, until the signal fires or the host closes. */
export async function* readChanges(
  { events, catalogText, clock, ending }: ChangeSources,
  { signal: given }: CallOptions,
): AsyncGenerator<ServingChange> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ending, stop.signal, ...(given === undefined ? [] : [given])]);
  const hub = createEventHub<ServingChange>(BEHIND_MAX);
  const changes = hub.subscribe();
  const pause = () => clock.sleep(POLL_MS, { signal }).catch(() => undefined);

  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      // The autopilot may have ended meanwhile. The next attempt finds the one that has taken over.
      const stream = await events({ signal }).catch(() => null);
      if (stream !== null) {
        const translate = createTranslator();
        hub.publish({ type: 'catalog' });
        try {
          for await (const event of stream) translate(event).forEach((one) => hub.publish(one));
        } catch {
          // The connection to the autopilot was lost, or the signal has fired.
        }
        hub.publish({ type: 'switched' });
        hub.publish({ type: 'catalog' });
      }
      await pause();
    }
  };
  const watch = async (): Promise<void> => {
    let last: string | null = null;
    while (!signal.aborted) {
      const text = await catalogText({ signal }).catch(() => last);
      if (last !== null && text !== last) hub.publish({ type: 'catalog' });
      last = text;
      await pause();
    }
  };
  const working = Promise.all([follow(), watch()]).then(() => hub.close());
  try {
    for (;;) {
      const next = await changes.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    stop.abort();
    await working;
  }
}

/** Translates events of one autopilot, in order. */
function createTranslator(): (event: AutopilotEvent) => readonly ServingChange[] {
  let residents: string | null = null;
  return (event) => {
    switch (event.type) {
      case 'decided': {
        const latest = JSON.stringify(
          event.input.residents.map((one) => [
            one.instanceIdentifier,
            one.modelKey,
            one.loadConfig.contextLengthTokens,
          ]),
        );
        const changed = latest !== residents;
        residents = latest;
        return changed ? [{ type: 'catalog' }] : [];
      }
      case 'switch-step':
        return translateStep(event.step);
      case 'put-off':
        return event.busy.map((instanceIdentifier) => ({ type: 'draining', instanceIdentifier }));
      case 'drain-ended':
        return [{ type: 'switched' }];
      case 'switch-finished':
      case 'load-interrupted':
      case 'fault':
        return [{ type: 'switched' }, { type: 'catalog' }];
      case 'recovered':
      case 'resident-ended':
        return [{ type: 'catalog' }];
      default:
        return [];
    }
  };
}

function translateStep(
  step: Extract<AutopilotEvent, { type: 'switch-step' }>['step'],
): readonly ServingChange[] {
  switch (step.type) {
    case 'draining':
      return [{ type: 'draining', instanceIdentifier: step.instanceIdentifier }];
    case 'loading': {
      const { modelKey, progressRatio } = step;
      return [{ type: 'loading', modelKey, progressRatio }];
    }
    case 'loaded': {
      const { modelKey } = step.instance;
      return [{ type: 'loaded', modelKey, tookMs: step.tookMs }, { type: 'catalog' }];
    }
    case 'load-failed': {
      const { modelKey, message } = step.failure;
      return [{ type: 'load-failed', modelKey, message }];
    }
    case 'unloaded':
      return [{ type: 'catalog' }];
    default:
      return [];
  }
}
