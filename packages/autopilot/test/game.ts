import type { Yield } from '../src/journal/journal-state.js';
import { GIB } from './fake-world.js';

/** A yield of 8 GiB that holds until it is released. */
export const GAME: Yield = {
  name: 'game',
  bytes: 8 * GIB,
  pools: 'all',
  sinceMs: 0,
  untilMs: null,
  processId: null,
};
