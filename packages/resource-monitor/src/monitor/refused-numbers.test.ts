import { createResourceMonitor } from '../create-resource-monitor.js';
import { assembleMachine } from '../../test/assemble-machine.js';
import * as linux from '../../test/machines/linux.js';
import { snapshotWith } from '../../test/snapshot-with.js';
import { readPrivateMemory } from '../process-memory/read-private-memory.js';
import { replay } from '../recording/replay.js';
import type { ResourceMonitor } from './resource-monitor.js';

const NO_TIME = [NaN, -1];

const MONITORS = [
  ['a live monitor', (): ResourceMonitor => assembleMachine(linux.virtualMachine).monitor],
  [
    'a replayed recording',
    (): ResourceMonitor =>
      replay(
        [{ snapshot: snapshotWith({}), atMs: 0 }],
        assembleMachine(linux.virtualMachine).clock,
        Infinity,
      ),
  ],
] as const;

describe.each(MONITORS)('%s refuses', (_, open) => {
  let monitor: ResourceMonitor;
  beforeEach(() => (monitor = open()));
  afterEach(() => monitor[Symbol.asyncDispose]());

  test.each([
    ...[0, 0.5, -1, NaN, Infinity, 2 ** 31].flatMap((ms) => [
      ms,
      { minMs: ms, maxMs: 1000 },
      { minMs: 1, maxMs: ms },
    ]),
    { minMs: 2, maxMs: 1 },
  ])('an interval of %j', (intervalMs) => {
    expect(() => monitor.watch({ intervalMs })).toThrow(RangeError);
  });

  test('no interval that a timer can wait for', async () => {
    for (const intervalMs of [1, 2 ** 31 - 1, { minMs: 1, maxMs: 1 }]) {
      await monitor.watch({ intervalMs }).return?.();
    }
  });

  test.each(NO_TIME)('times of %d ms', async (ms) => {
    await expect(monitor.settled({ timeoutMs: ms })).rejects.toThrow(
      `timeoutMs must be a number of at least 0, not ${ms}.`,
    );
    expect(() => monitor.history({ series: 'ram', windowMs: ms })).toThrow(RangeError);
    expect(() => monitor.trend({ windowMs: ms })).toThrow(RangeError);
  });

  test.each([NaN, -0.1, 1.1, Infinity])('a limit of %d', (limitRatio) => {
    expect(() => monitor.trend({ limitRatio })).toThrow(
      `limitRatio must be a number from 0 to 1, not ${limitRatio}.`,
    );
  });
});

test.each(NO_TIME)(
  'a snapshot refuses a deadline of %d ms, and a monitor such a wait',
  async (ms) => {
    await using monitor = assembleMachine(linux.virtualMachine).monitor;
    await expect(monitor.snapshot({ timeoutMs: ms })).rejects.toThrow(RangeError);
    expect(() => createResourceMonitor({ gpuFirstAnswerMs: ms })).toThrow(RangeError);
  },
);

test.each([0, -1, 1.5, NaN, Infinity])('no process has the id %d', async (id) => {
  await expect(readPrivateMemory([process.pid, id])).rejects.toThrow(
    `A process id must be a whole number of at least 1, not ${id}.`,
  );
});
