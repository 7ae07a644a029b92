// Simulates two weeks of an autopilot that is never restarted: the heap stays flat, and nothing flaps. It takes a
// few minutes and is not a part of `npm test`. It runs outside of Jest, where every access to a global is slow:
// npm run test:soak
import assert from 'node:assert/strict';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '../dist/index.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = 14;
const MIB = 1024 * 1024;

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

// After the first day the compiled code and the histories have their full size.
const early = Math.max(...heapBytesByDay.slice(1, 4));
const grownBytes = Math.max(...heapBytesByDay.slice(4)) - early;
console.log(
  `${DAYS} days: ${decisions.length} decisions, ${metrics.flaps} flaps, ${metrics.busyEvictions} busy models ` +
    `unloaded, ${metrics.avoidableOutOfMemoryEvents} avoidable out-of-memory events, the heap grew by ` +
    `${Math.round(grownBytes / 1024)} KiB after day 4.`,
);
assert.equal(heapBytesByDay.length, DAYS);
assert.ok(decisions.length > DAYS, 'The autopilot decided less than once a day.');
assert.equal(metrics.flaps, 0);
assert.equal(metrics.busyEvictions, 0);
assert.equal(metrics.avoidableOutOfMemoryEvents, 0);
assert.ok(grownBytes < MIB, 'The heap grew by a mebibyte or more.');
