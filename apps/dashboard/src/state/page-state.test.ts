import type { Event as ControlEvent, MemorySample } from '../api/api.generated.js';
import { ScriptedMachine } from '../../test/server/scripted-machine.js';
import { FIRST_STATE, reducePage, WINDOW_MS, type Action, type PageState } from './page-state.js';

const machine = new ScriptedMachine({ nowMs: 1_000_000_000 });
const after = (actions: readonly Action[], from: PageState = FIRST_STATE) =>
  actions.reduce(reducePage, from);
const event = (one: ControlEvent): Action => ({ type: 'event', event: one });
const stamp = { id: 'e.1', atMs: 0 };
const sampleAt = (atMs: number): MemorySample => ({ atMs, pools: [] });
const LIVE: Action = { type: 'connection', connection: { state: 'live' } };
const lostAt = (sinceMs: number): Action => ({
  type: 'connection',
  connection: { state: 'lost', sinceMs },
});

test('keeps the time at which the connection was lost, and announces the loss once', () => {
  const state = after([LIVE, lostAt(10), lostAt(20), lostAt(30)]);
  expect(state.connection).toEqual({ state: 'lost', sinceMs: 10 });
  expect(state.announcement.count).toBe(1);
});

test('after a renewed connection, announces it, and asks for the decision log again', () => {
  const state = after([LIVE, lostAt(10), LIVE]);
  expect(state.announcement).toEqual({ text: 'Connected again.', count: 2 });
  expect(state.decisionsSeen).toBe(1);
  expect(after([LIVE]).announcement.count).toBe(0);
});

test('after a change of the fleet and after a renewed connection, asks for the fleet again without an announcement', () => {
  const changed = after([LIVE, event({ ...stamp, type: 'fleet' })]);
  expect([changed.fleetSeen, changed.announcement.count]).toEqual([1, 0]);
  expect(after([lostAt(10), LIVE], changed).fleetSeen).toBe(2);
});

test('a lost connection ends the progress of a switch', () => {
  const started = event({ ...stamp, type: 'switch-started', reason: 'YIELD' });
  expect(after([LIVE, started]).step).not.toBeNull();
  expect(after([LIVE, started, lostAt(10)]).step).toBeNull();
});

test('drops samples that have left the window, at the millisecond', () => {
  const samples = [0, 1, 2].map((atMs) =>
    event({ ...stamp, type: 'sample', sample: sampleAt(atMs) }),
  );
  const late = event({ ...stamp, type: 'sample', sample: sampleAt(WINDOW_MS + 1) });
  expect(after([...samples, late]).samples.map(({ atMs }) => atMs)).toEqual([1, 2, WINDOW_MS + 1]);
});

test('a sample that comes twice is kept once', () => {
  const same = event({ ...stamp, type: 'sample', sample: sampleAt(5) });
  expect(after([same, same]).samples).toHaveLength(1);
});

test('announces a switch, a notice and a change, but no samples and no queues', () => {
  const quiet = after([
    event({ ...stamp, type: 'sample', sample: sampleAt(5) }),
    event({ ...stamp, type: 'queue', running: 1, waiting: 2, loading: null }),
    event({ ...stamp, type: 'journal', pins: [], yields: [] }),
  ]);
  expect(quiet.announcement.count).toBe(0);
  const loud = after(
    [
      event({ ...stamp, type: 'notice', code: 'fault', text: 'LM Studio is off.' }),
      { type: 'announce', text: 'Pinned.' },
    ],
    quiet,
  );
  expect(loud.announcement).toEqual({ text: 'Pinned.', count: 2 });
});

test('gives the first colour to the resident that takes the most memory', () => {
  const state = after([
    { type: 'answered', answered: { history: machine.history(), status: machine.status() } },
  ]);
  expect(state.slots['mai/qwen/qwen3-30b-a3b-2507']).toBe(0);
  expect(state.modelKeys['mai/qwen/qwen3-30b-a3b-2507']).toBe('qwen/qwen3-30b-a3b-2507');
});

test('keeps what a failed read has answered before, beside its fault', () => {
  const read = after([{ type: 'answered', answered: { models: machine.models() } }]);
  const failed = after(
    [{ type: 'answered', answered: { faults: { models: 'Line 3 is wrong.' } } }],
    read,
  );
  expect(failed.models).toBe(read.models);
  expect(failed.faults.models).toBe('Line 3 is wrong.');
  const mended = after([{ type: 'answered', answered: { faults: { models: null } } }], failed);
  expect(mended.faults.models).toBeNull();
});

test('keeps the past that the page has seen when a restarted gateway remembers nothing', () => {
  const history = machine.history();
  const seen = after([{ type: 'answered', answered: { history } }]);
  const empty = { ...history, samples: [], switches: [] };
  const restarted = after([{ type: 'answered', answered: { history: empty } }], seen);
  expect(restarted.samples).toEqual(history.samples);
  expect(restarted.switches).toEqual(history.switches);
  const again = after([{ type: 'answered', answered: { history } }], restarted);
  expect(again.samples).toEqual(history.samples);
  expect(again.switches).toEqual(history.switches);
});

test('takes the figures of the status where there is no sample yet', () => {
  const status = machine.status();
  const { samples } = after([{ type: 'answered', answered: { status } }]);
  expect(samples.map(({ atMs }) => atMs)).toEqual([status.atMs]);
  expect(samples[0]?.pools[0]?.othersBytes).toBe(status.pools[0]?.othersBytes);
});
