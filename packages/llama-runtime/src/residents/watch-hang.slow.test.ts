import { fakeWorld, pidsOf, type Faults } from '../../test/fake-world.js';
import { runs, until } from '../../test/processes.js';
import type { EndedEngine } from './engines.js';

/** The time that the process counts its work in, so that a loaded machine does not change the outcome. */
const HUNG_WITHIN_MS = 60_000;

jest.setTimeout(90_000);

/** Loads a model, and waits until its engine was killed. Returns how it ended. */
async function endOf(
  faults: Faults,
  healthIntervalMs: number,
  stop: (pid: number) => void = () => undefined,
): Promise<string> {
  await using world = await fakeWorld();
  await world.write('model.gguf', faults);
  await using runtime = await world.open({ healthIntervalMs });
  const told: EndedEngine[] = [];
  runtime.onEnded((ended) => told.push(ended));
  await runtime.load({ modelKey: 'model' });
  const [pid = 0] = await pidsOf(runtime);
  stop(pid);
  await until('the engine was killed', () => told.length > 0, HUNG_WITHIN_MS);
  expect(await runs(pid)).toBe(false);
  expect(await runtime.listResidents()).toEqual([]);
  // The next load is served.
  await world.write('model.gguf', {});
  expect((await runtime.load({ modelKey: 'model' })).reused).toBe(false);
  return told[0]?.how ?? '';
}

/**
 * Six intervals of 500 ms in a row without work are 3 s. Intervals before them in which the process still worked (a garbage
 * collection, a busy machine) add to the time; 120 intervals are 60 s.
 */
function expectSixIdleIntervals(how: string, why: string): void {
  const [, seconds, told] = /^killed after (\d+) s (.*)$/.exec(how) ?? [];
  expect(told).toBe(why);
  expect(Number(seconds)).toBeGreaterThanOrEqual(3);
  expect(Number(seconds)).toBeLessThan(45);
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('an engine that is stopped is killed after six intervals', async () => {
  const how = await endOf({}, 500, (pid) => process.kill(pid, 'SIGSTOP'));
  expectSixIdleIntervals(how, 'without an answer');
});

onLinux(
  'an engine that answers, but does not work on its open request, is killed after six intervals',
  async () => {
    expectSixIdleIntervals(await endOf({ stalls: true }, 500), 'without progress');
  },
);

test('an engine that works on its open request has 120 intervals, and more for a long prompt', async () => {
  const how = await endOf({ stalls: true, works: true, promptTokens: 50 }, 50);
  // 120 + 50 * 0.4 intervals.
  expect(how).toMatch(/^killed after 7 s without/);
});

test('an engine that answers and has no request is not killed', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open({ healthIntervalMs: 200 });
  const told: EndedEngine[] = [];
  runtime.onEnded((ended) => told.push(ended));
  await runtime.load({ modelKey: 'model' });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(told).toEqual([]);
  expect(await runtime.listResidents()).toHaveLength(1);
});
