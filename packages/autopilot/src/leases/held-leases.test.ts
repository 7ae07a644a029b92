import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import { HeldLeases } from './held-leases.js';

const CLOCK = { monotonicMs: () => 1000 } as Partial<Clock> as Clock;

function resident(
  instanceIdentifier: string,
  contextLengthTokens: number | null,
  more: Partial<Resident> = {},
): Resident {
  return {
    instanceIdentifier,
    modelKey: 'one',
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens },
    footprint: null,
    busy: false,
    idleInMs: null,
    speed: null,
    pinned: false,
    foreign: false,
    lastUsedAtMs: null,
    observation: null,
    ...more,
  };
}

/** The retained residents. Each resident had a lease. The leases have ended, except those of the residents in `leased`. */
function retained(residents: readonly Resident[], leased: readonly string[] = []) {
  const held = new HeldLeases(CLOCK, () => 60_000);
  for (const { instanceIdentifier } of residents) {
    const release = held.hold(instanceIdentifier);
    if (!leased.includes(instanceIdentifier)) release();
  }
  return held.retained(residents);
}

test('of several copies of a model, the one with the longest context is retained', () => {
  expect(retained([resident('a', 8192), resident('b', 20_480), resident('c', 16_384)])).toEqual([
    'b',
  ]);
});

test('a shorter copy stays retained as long as it is leased', () => {
  expect(retained([resident('a', 8192), resident('b', 20_480)], ['a'])).toEqual(['a', 'b']);
});

test.each([
  ['of another model', { modelKey: 'two' }],
  ['of somebody else', { foreign: true }],
])('a longer context %s ends nothing', (_, more) => {
  expect(retained([resident('a', 8192), resident('b', 20_480, more)])).toEqual(['a', 'b']);
});

test('copies with equal or unknown contexts are all retained', () => {
  expect(retained([resident('a', 8192), resident('b', 8192), resident('c', null)])).toEqual([
    'a',
    'b',
    'c',
  ]);
});
