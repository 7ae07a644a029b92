import { standingClock } from '../../test/moved-clock.js';
import { ownLoad, ownState } from '../../test/states.js';
import { createHostTable, type HostTable } from './host-table.js';

const [OLD, NEW] = ['00000000000000aa', '00000000000000bb'];

const state = (epoch: string, revision: number) => ({
  ...ownState(),
  host: 'attic',
  epoch,
  revision,
});

const heartbeat = (epoch: string, sequence: number, change: object = {}) => ({
  ...ownLoad(),
  host: 'attic',
  epoch,
  sequence,
  uptimeMs: 2000 * sequence,
  revision: 1,
  ...change,
});

function table(): { clock: ReturnType<typeof standingClock>; table: HostTable; changes: string[] } {
  const clock = standingClock();
  const changes: string[] = [];
  return {
    clock,
    changes,
    table: createHostTable({
      clock,
      staleAfterMs: 6000,
      onChange: (host) => changes.push(host),
      onRefused: () => undefined,
    }),
  };
}

const usable = (one: HostTable) => one.list()[0]?.usable;

it.each([
  [5999, true],
  [6000, true],
  [6001, false],
])('after %d ms of silence a host is usable: %s', (silentMs, expected) => {
  const { clock, table: hosts } = table();
  hosts.noteState(state(NEW, 1), true);
  clock.move(silentMs);
  expect(hosts.list()[0]).toMatchObject({ usable: expected, silentMs });
});

it.each<[string, (hosts: HostTable) => void, boolean]>([
  ['a newer revision', (hosts) => hosts.noteState(state(NEW, 2), true), true],
  ['the same revision again', (hosts) => hosts.noteState(state(NEW, 1), true), false],
  ['a newer revision that is replayed', (hosts) => hosts.noteState(state(NEW, 2), false), false],
  ['a heartbeat', (hosts) => hosts.noteHeartbeat(heartbeat(NEW, 9), true), true],
  ['a heartbeat that waited', (hosts) => hosts.noteHeartbeat(heartbeat(NEW, 9), false), false],
  ['the same heartbeat again', (hosts) => hosts.noteHeartbeat(heartbeat(NEW, 3), true), false],
  ['an answer', (hosts) => hosts.noteAnswer('attic', NEW), true],
])('counts %s as heard or not', (_what, note, expected) => {
  const { clock, table: hosts } = table();
  hosts.noteState(state(NEW, 1), true);
  hosts.noteHeartbeat(heartbeat(NEW, 3), true);
  clock.move(10_000);
  expect(usable(hosts)).toBe(false);
  note(hosts);
  expect(usable(hosts)).toBe(expected);
});

it('does not use a host whose heartbeat says that it takes no requests', () => {
  const { table: hosts } = table();
  hosts.noteState(state(NEW, 1), true);
  hosts.noteHeartbeat(heartbeat(NEW, 1, { ready: false }), true);
  expect(usable(hosts)).toBe(false);
});

it('does not use the state of an epoch that has ended', () => {
  const { table: hosts } = table();
  hosts.noteState(state(OLD, 5), true);
  hosts.noteHeartbeat(heartbeat(NEW, 1), true);
  expect(usable(hosts)).toBe(false);
  hosts.noteState(state(OLD, 6), true);
  hosts.noteAnswer('attic', OLD);
  expect(usable(hosts)).toBe(false);
  hosts.noteState(state(NEW, 1), true);
  expect(usable(hosts)).toBe(true);
});

it('takes a replayed state of a new epoch once that epoch is heard', () => {
  const { table: hosts } = table();
  hosts.noteState(state(OLD, 5), true);
  hosts.noteState(state(NEW, 1), false);
  expect(hosts.list()[0]?.state.epoch).toBe(OLD);
  hosts.noteHeartbeat(heartbeat(NEW, 1), true);
  expect(hosts.list()[0]).toMatchObject({ usable: true, state: { epoch: NEW } });
});

it('names hosts whose heartbeats tell of a newer state for some time', () => {
  const { clock, table: hosts } = table();
  hosts.noteHeartbeat(heartbeat(NEW, 1), true);
  clock.move(3000);
  expect(hosts.missing(3000)).toEqual(['attic']);
  hosts.noteState(state(NEW, 1), true);
  expect(hosts.missing(0)).toEqual([]);
  hosts.noteHeartbeat(heartbeat(NEW, 2, { revision: 2 }), true);
  expect(hosts.missing(1)).toEqual([]);
  clock.move(1);
  expect(hosts.missing(1)).toEqual(['attic']);
});

it('names a host at once that comes back from silence with a newer state', () => {
  const { clock, table: hosts } = table();
  hosts.noteState(state(NEW, 1), true);
  hosts.noteHeartbeat(heartbeat(NEW, 1), true);
  clock.move(60_000);
  hosts.sweep();
  expect(hosts.missing(1)).toEqual([]);
  hosts.noteHeartbeat(heartbeat(NEW, 2, { revision: 2 }), true);
  expect(hosts.missing(1)).toEqual(['attic']);
});

it('reports a heartbeat only when it tells of another load', () => {
  const { table: hosts, changes } = table();
  hosts.noteState(state(NEW, 1), true);
  hosts.noteHeartbeat(heartbeat(NEW, 1), true);
  expect(changes).toHaveLength(2);
  hosts.noteHeartbeat(heartbeat(NEW, 2), true);
  expect(changes).toHaveLength(2);
  hosts.noteHeartbeat(heartbeat(NEW, 3, { running: 1 }), true);
  expect(changes).toHaveLength(3);
});

it('reports a host that goes silent once', () => {
  const { clock, table: hosts, changes } = table();
  hosts.noteState(state(NEW, 1), true);
  expect(changes).toEqual(['attic']);
  clock.move(6001);
  hosts.sweep();
  hosts.sweep();
  expect(changes).toEqual(['attic', 'attic']);
});
