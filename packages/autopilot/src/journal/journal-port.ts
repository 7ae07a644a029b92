import type { CallOptions } from '../ports/call-options.js';
import type { JournalState } from './journal-state.js';

/**
 * Stores the state that survives a restart. Other processes write to it to send requests to the running
 * autopilot.
 */
export interface JournalPort {
  read(options: CallOptions): Promise<JournalState>;
  /**
   * Replaces the state by `change(state)` atomically. `change` must have no side effects. Resolves to the
   * new state.
   */
  update(
    change: (state: JournalState) => JournalState,
    options: CallOptions,
  ): Promise<JournalState>;
}

/** A journal in memory, for tests, simulations and dry runs. */
export function createMemoryJournal(initial: JournalState): JournalPort {
  let state = initial;
  return {
    read: () => Promise.resolve(state),
    update: (change) => {
      state = change(state);
      return Promise.resolve(state);
    },
  };
}
