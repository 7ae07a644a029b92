import v8 from 'node:v8';
import vm from 'node:vm';
import { POLICY } from '../../test/fake-world.js';
import { SCENARIO_MODELS } from './scenario-models.js';
import { SCENARIOS } from './scenarios.js';
import { simulate } from './simulate.js';
import type { TraceRow } from './trace.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = 14;
const MIB = 1024 * 1024;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** The days of different seeds, one after the other. */
function fortnight(): readonly TraceRow[] {
  const day = SCENARIOS.find(({ name }) => name === 'working-day');
  if (day === undefined) throw new Error('There is no working day.');
  return Array.from({ length: DAYS }, (_, at) =>
    day.trace(at + 1).map((row) => ({ ...row, tMs: row.tMs + at * DAY_MS })),
  )
    .flat()
    .filter((row, at, all) => at === 0 || row.tMs > (all[at - 1]?.tMs ?? 0));
}

jest.setTimeout(180_000);

test('two weeks without a restart: memory stays flat, and nothing flaps', async () => {
  const heapByDay: number[] = [];
  const metrics = await simulate({
    trace: fortnight(),
    models: SCENARIO_MODELS,
    limits: POLICY,
    seed: 3,
    onServing: (_serving, atMs) => {
      const day = Math.floor(atMs / DAY_MS);
      if (heapByDay[day] !== undefined) return;
      collectGarbage();
      heapByDay[day] = process.memoryUsage().heapUsed;
    },
  });
  expect(metrics).toMatchObject({ flaps: 0, busyEvictions: 0, avoidableOutOfMemoryEvents: 0 });
  expect(heapByDay).toHaveLength(DAYS);
  // Compiled code and the histories have filled up by then.
  const early = Math.max(...heapByDay.slice(1, 4));
  expect(Math.max(...heapByDay.slice(4)) - early).toBeLessThan(MIB);
});
