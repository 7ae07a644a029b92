// Two weeks of an autopilot that is never restarted, over the built package: Jest's sandbox makes every look
// at a global slow. Started by soak.test.ts with --expose-gc; prints the metrics and the heap day by day.
import { SCENARIO_MODELS, SCENARIOS, simulate } from '../dist/index.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = 14;
const limits = JSON.parse(process.argv[2]);

const day = SCENARIOS.find(({ name }) => name === 'working-day');
const trace = Array.from({ length: DAYS }, (_, at) =>
  day.trace(at + 1).map((row) => ({ ...row, tMs: row.tMs + at * DAY_MS })),
)
  .flat()
  .filter((row, at, all) => at === 0 || row.tMs > all[at - 1].tMs);

const heapBytesByDay = [];
const { decisions, ...metrics } = await simulate({
  ...{ trace, models: SCENARIO_MODELS, limits, seed: 3 },
  onServing: (_serving, atMs) => {
    const today = Math.floor(atMs / DAY_MS);
    if (heapBytesByDay[today] !== undefined) return;
    globalThis.gc();
    heapBytesByDay[today] = process.memoryUsage().heapUsed;
  },
});
console.log(JSON.stringify({ metrics, decisions: decisions.length, heapBytesByDay }));
