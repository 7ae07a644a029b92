import type { CallOptions } from '../ports/call-options.js';
import type { JournalState } from './journal-state.js';

/** Where the state lives that must outlast a restart, and through which others speak to a running Mai. */
export interface JournalPort {
  read(options: CallOptions): Promise<JournalState>;
  /**
   * Replaces the state by `change(state)`, all or nothing, with no other change in between. `change`
   * must be free of side effects. Resolves to what was written.
   */
  update(
    change: (state: JournalState) => JournalState,
    options: CallOptions,
  ): Promise<JournalState>;
}

/** A journal that is forgotten with the process: for tests, simulations and `--dry-run`. */
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
