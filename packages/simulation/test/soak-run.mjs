// Simulates two weeks of an autopilot that is never restarted. It runs on the built package and outside of
// Jest, where every access to a global is slow. soak.test.ts starts this script with --expose-gc and reads the
// metrics and the heap size of each day.
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '../dist/index.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = 14;

const day = SCENARIOS.find(({ name }) => name === 'working-day');
const trace = Array.from({ length: DAYS }, (_, index) =>
  day.trace(index + 1).map((row) => ({ ...row, tMs: row.tMs + index * DAY_MS })),
)
  .flat()
  .filter((row, index, rows) => index === 0 || row.tMs > rows[index - 1].tMs);

const heapBytesByDay = [];
const { decisions, ...metrics } = await simulate({
  trace,
  models: SCENARIO_MODELS,
  limits: DEFAULT_SELECTION_POLICY,
  seed: 3,
  onServing: (_serving, atMs) => {
    const today = Math.floor(atMs / DAY_MS);
    if (heapBytesByDay[today] !== undefined) return;
    globalThis.gc();
    heapBytesByDay[today] = process.memoryUsage().heapUsed;
  },
});
console.log(JSON.stringify({ metrics, decisions: decisions.length, heapBytesByDay }));
