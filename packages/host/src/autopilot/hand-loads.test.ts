import type { JournalState } from '@mai/autopilot';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { LMStudioError, type ResidentInstance } from '@mai/lmstudio-adapter';
import { systemClock } from '../index.js';
import type { LoadCalls } from '../runtime/time-loads.js';
import { createHandLoads } from './hand-loads.js';
import type { JournalChanges } from './journal-changes.js';

const RESIDENT = {
  instanceIdentifier: 'mine',
  modelKey: 'acme/chat',
  contextLengthTokens: 4096,
  deviceIdentifier: null,
} as ResidentInstance;

const STALE = { target: 'gone', reason: 'load', sinceMs: 0 } as const;

function handLoads(listResidents: LoadCalls['listResidents']) {
  let state = { pins: [STALE], yields: [] } as unknown as JournalState;
  const journal = {
    change: async (change: (before: JournalState) => JournalState) => {
      state = change(state);
      return { journal: state, delivery: null };
    },
  } as unknown as JournalChanges;
  const client = {
    load: async () => ({ instance: RESIDENT, verified: [], reused: false }),
    listResidents,
  } as unknown as LoadCalls;
  const hand = createHandLoads({
    client,
    journal,
    clock: systemClock,
    contexts: { record: () => Promise.resolve() },
    leased: () => [],
    hold: () => () => undefined,
    leaving: () => undefined,
  });
  const load = () =>
    hand.load({
      candidates: [{ modelKey: 'acme/chat', kind: 'llm', loadConfig: DEFAULT_LOAD_CONFIG }],
      identifier: 'mine',
      ttlMs: null,
      timeoutMs: null,
    });
  return { load, targets: () => state.pins.map(({ target }) => target) };
}

it('pins what was loaded, and removes the pins of loads that are gone', async () => {
  const { load, targets } = handLoads(async () => [RESIDENT]);
  expect(await load()).toMatchObject({ instance: { instanceIdentifier: 'mine' }, pinError: null });
  expect(targets()).toEqual(['mine']);
});

it('pins what was loaded also where the runtime does not list the residents, and then keeps other pins', async () => {
  const { load, targets } = handLoads(() =>
    Promise.reject(new LMStudioError('TIMED_OUT', 'no answer')),
  );
  expect(await load()).toMatchObject({ instance: { instanceIdentifier: 'mine' }, pinError: null });
  expect(targets()).toEqual(['gone', 'mine']);
});
