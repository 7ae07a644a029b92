import { randomBytes } from 'node:crypto';
import type { ControlEvent, NewEvent } from './control-event.js';

/** Numbers events, keeps the last ones, and hands them to readers. */
export interface EventLog {
  publish(event: NewEvent): void;
  /**
   * Calls `listener` with the events after `lastId`, then with each new one.
   *
   * @param lastId - the last event that the reader has; null for new events alone. Where events after it are no longer
   *   kept, or the id is of another process, the first event is a `reset`.
   * @returns a function that ends this
   */
  subscribe(lastId: string | null, listener: (event: ControlEvent) => void): () => void;
}

/** Holds the last 8 minutes: one sample a second, and up to as many other events. */
const KEPT_MAX = 1000;

/** Creates an empty log. Its ids differ from those of every other process. */
export function createEventLog(nowMs: () => number): EventLog {
  const epoch = randomBytes(6).toString('base64url');
  const kept: ControlEvent[] = [];
  const listeners = new Set<(event: ControlEvent) => void>();
  let count = 0;

  /** The kept events after an id; null where they are not all kept. */
  const after = (lastId: string): readonly ControlEvent[] | null => {
    const at = lastId.lastIndexOf('.');
    const number = Number(lastId.slice(at + 1));
    if (lastId.slice(0, at) !== epoch || !Number.isInteger(number)) return null;
    const missed = count - number;
    if (missed < 0 || missed > kept.length) return null;
    return kept.slice(kept.length - missed);
  };
  return {
    publish: (event) => {
      count += 1;
      const numbered = { ...event, id: `${epoch}.${count}` };
      kept.push(numbered);
      if (kept.length > KEPT_MAX) kept.shift();
      for (const listener of listeners) listener(numbered);
    },
    subscribe: (lastId, listener) => {
      if (lastId !== null) {
        const missed = after(lastId);
        if (missed === null) {
          listener({ type: 'reset', id: `${epoch}.${count}`, atMs: nowMs() });
        } else for (const event of missed) listener(event);
      }
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
