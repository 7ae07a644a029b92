import type { Selection } from '@mai/selector';
import { GIB } from './fake-world.js';

/** Others take 6 of 32 GiB. The limit of 80 % is 25.6 GiB, so 19.6 GiB are left for models. */
export const LARGE = { modelKey: 'large', bytes: 16 * GIB };
export const SMALL = { modelKey: 'small', bytes: 4 * GIB };

/** The requirement of a caller that only needs chat. */
export const CHAT = { capabilities: ['chat'], minContextLengthTokens: null, tiers: null };

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** The selection of a step down, without figures. */
export const SELECTION: Selection = {
  decision: 'switch',
  direction: 'down',
  chosen: null,
  plan: { steps: [], order: null },
  pools: [],
  headroomBytes: null,
  rejected: [],
  afterDrain: null,
  notes: [],
};
