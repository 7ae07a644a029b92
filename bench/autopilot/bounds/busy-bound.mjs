// How good a policy can be in heavy traffic that neither sees the future nor interrupts a request. For the trace
// `levels-heavy`, dynamic programming finds the best policy that knows the distribution of the next level and of the time
// that a level is held, and that counts the running requests. It waits for no dwell and no cool-down, and a switch
// costs nothing, or a price. Build first:
//   node bench/autopilot/bounds/busy-bound.mjs [--seeds 2,4]
import { parseArgs } from 'node:util';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, simulate } from '@mai/simulation';
import { createRandom } from '../../yardstick/random.mjs';
import { HEAVY, HELD_BACK, normalBelow } from '../restless/restless-traces.mjs';

const { values: options } = parseArgs({ options: { seeds: { type: 'string', default: '2,4' } } });
const GIB = 2 ** 30;
const limits = DEFAULT_SELECTION_POLICY;
const DWELL_S = limits.dwellMs / 1000;
const LIMIT_GIB = 32 * limits.memoryLimitRatio;
const HARD_LIMIT_GIB = 32 * limits.hardLimitRatio;
/** The trace: uniform levels, held for a lognormal time with spread 1. */
const [LOW_GIB, HIGH_GIB, MEDIAN_S] = [5, 14, 400];
const HORIZON_S = 7200;
const NONE = -1;

const WAYS = SCENARIO_MODELS.flatMap((model, index) =>
  [model, ...model.cheaperLoadOptions].map((option) => ({
    gib: option.footprintBytes / GIB,
    allowedGib: index === SCENARIO_MODELS.length - 1 ? HARD_LIMIT_GIB : LIMIT_GIB,
    quality: option.quality,
    loadS: model.loadMs / 1000,
  })),
);
const LEVELS = 45;
const levelOf = (bin) => LOW_GIB + ((bin + 0.5) * (HIGH_GIB - LOW_GIB)) / LEVELS;
const binOf = (gib) =>
  Math.max(0, Math.min(LEVELS - 1, Math.floor(((gib - LOW_GIB) / (HIGH_GIB - LOW_GIB)) * LEVELS)));
/**
 * Classes of the time for which a level has been held, by their lower ends in seconds: each is one second long at first, then a
 * tenth of the time.
 */
const AGE_ENDS = Array.from({ length: 31 }, (_, second) => second);
while (AGE_ENDS.at(-1) < 4000) AGE_ENDS.push(AGE_ENDS.at(-1) * 1.1);
const AGES = AGE_ENDS.length - 1;
const ageOf = (seconds) => {
  let age = 0;
  while (age < AGES - 1 && AGE_ENDS[age + 1] <= seconds) age += 1;
  return age;
};
const middleOf = (age) => (AGE_ENDS[age] + AGE_ENDS[age + 1]) / 2;
/** The share of levels that are held for longer. */
const heldLonger = (seconds) => (seconds <= 0 ? 1 : normalBelow(-Math.log(seconds / MEDIAN_S)));
const changeWithin = (age, seconds) =>
  1 - heldLonger(middleOf(age) + seconds) / heldLonger(middleOf(age));

/** The most requests at a time, as in the simulator. */
const PARALLEL = 4;
const COUNTS = PARALLEL + 1;
/** By the number of running requests, the probability of each number a second later: the matrix exponential of the rates. */
function requestShares() {
  const arrivals = HEAVY.ratePerMinute / 60;
  const rates = Array.from({ length: COUNTS }, (_, from) =>
    Array.from({ length: COUNTS }, (_, to) => {
      if (to === from + 1) return arrivals;
      return to === from - 1 ? from / HEAVY.meanSeconds : 0;
    }),
  );
  for (const [from, row] of rates.entries()) {
    row[from] = -row.reduce((sum, rate) => sum + rate, 0);
  }
  let term = rates.map((row, from) => row.map((_, to) => (from === to ? 1 : 0)));
  let shares = term;
  for (let power = 1; power < 20; power += 1) {
    term = term.map((row) =>
      row.map((_, to) => row.reduce((sum, one, via) => sum + one * rates[via][to], 0) / power),
    );
    shares = shares.map((row, from) => row.map((one, to) => one + term[from][to]));
  }
  return shares;
}
const REQUESTS = requestShares();

const SIZE = WAYS.length * LEVELS * AGES * COUNTS;
const at = (way, bin, age, count) => ((way * LEVELS + bin) * AGES + age) * COUNTS + count;
const fits = (gib, { gib: own, allowedGib }) => gib + own <= allowedGib;
const bothFit = (gib, one, other) =>
  gib + one.gib + other.gib <= Math.min(one.allowedGib, other.allowedGib);

/** The mean value of a new level, by way. */
function afterChange(values, way, count) {
  let sum = 0;
  for (let bin = 0; bin < LEVELS; bin += 1) sum += values[at(way, bin, 0, count)];
  return sum / LEVELS;
}

/** The value of each way once it is loaded; null where the load ends beyond the horizon. */
function readyValues(values, second) {
  return WAYS.map(({ loadS }, way) => {
    if (second + loadS >= HORIZON_S) return null;
    const later = values[(second + loadS) % values.length];
    const changed = afterChange(later, way, 0);
    return Array.from({ length: AGES }, (_, age) => {
      const change = changeWithin(age, loadS);
      const then = ageOf(middleOf(age) + loadS);
      return Array.from(
        { length: LEVELS },
        (_, bin) => (1 - change) * later[at(way, bin, then, 0)] + change * changed,
      );
    });
  });
}

/** The way to switch to in each state; `NONE` to stay. */
function bestPolicy(price) {
  const longest = Math.max(...WAYS.map(({ loadS }) => loadS)) + 1;
  const values = Array.from({ length: longest }, () => new Float64Array(SIZE));
  const policy = new Int8Array(SIZE);
  const changes = Array.from({ length: AGES }, (_, age) => changeWithin(age, 1));
  const expected = new Float64Array(COUNTS);
  for (let second = HORIZON_S - 1; second >= 0; second -= 1) {
    const next = values[(second + 1) % longest];
    const ready = readyValues(values, second);
    const now = new Float64Array(SIZE);
    for (const [way, held] of WAYS.entries()) {
      const changed = Array.from({ length: COUNTS }, (_, count) => afterChange(next, way, count));
      for (let bin = 0; bin < LEVELS; bin += 1) {
        const gib = levelOf(bin);
        const isForced = gib + held.gib > HARD_LIMIT_GIB;
        const targets = WAYS.flatMap((to, index) => {
          if (index === way || ready[index] === null || !fits(gib, to)) return [];
          return [{ index, both: bothFit(gib, held, to), loadS: to.loadS }];
        });
        for (let age = 0; age < AGES; age += 1) {
          const older = age === AGES - 1 ? 0 : 1 / (AGE_ENDS[age + 1] - AGE_ENDS[age]);
          for (let count = 0; count < COUNTS; count += 1) {
            const stays = next[at(way, bin, age, count)];
            const ages = age === AGES - 1 ? stays : next[at(way, bin, age + 1, count)];
            const unchanged = (1 - older) * stays + older * ages;
            expected[count] = (1 - changes[age]) * unchanged + changes[age] * changed[count];
          }
          const counts = fits(gib, held) || AGE_ENDS[age] < DWELL_S;
          for (let count = 0; count < COUNTS; count += 1) {
            let most = counts ? held.quality : 0;
            for (let to = 0; to < COUNTS; to += 1) most += REQUESTS[count][to] * expected[to];
            let chosen = NONE;
            for (const { index, both, loadS } of targets) {
              if (!both && count > 0 && !isForced) continue;
              const meanwhile = both ? held.quality * loadS : 0;
              const value = meanwhile + ready[index][age][bin] - price * held.quality;
              if (value <= most + 1e-9) continue;
              most = value;
              chosen = index;
            }
            now[at(way, bin, age, count)] = most;
            policy[at(way, bin, age, count)] = chosen;
          }
        }
      }
    }
    values[second % longest] = now;
  }
  return policy;
}

/** The requests of the simulator for this seed: each row of the trace draws the next arrival again. Times in milliseconds. */
function requestsOf(trace, seed) {
  const random = createRandom(seed);
  const exponential = (mean) => -mean * Math.log(1 - random());
  const requests = [];
  for (const [index, { tMs }] of trace.entries()) {
    const endMs = trace[index + 1]?.tMs ?? tMs;
    let atMs = tMs + exponential(60_000 / HEAVY.ratePerMinute);
    while (atMs < endMs) {
      requests.push({ atMs, untilMs: atMs + exponential(HEAVY.meanSeconds * 1000) });
      atMs += exponential(60_000 / HEAVY.ratePerMinute);
    }
  }
  return requests;
}

function runPolicy(policy, trace, seed) {
  const endS = trace.at(-1).tMs / 1000;
  const requests = requestsOf(trace, seed);
  const result = { quality: 0, switches: 0, dropped: 0 };
  let [row, next, held, overS] = [0, 0, NONE, 0];
  let running = [];
  const pass = (untilS, serves) => {
    for (; next < requests.length && requests[next].atMs < untilS * 1000; next += 1) {
      const { atMs, untilMs } = requests[next];
      running = running.filter((one) => one > atMs);
      if (!serves) result.dropped += 1;
      else if (running.length < PARALLEL) running.push(untilMs);
    }
    running = running.filter((one) => one > untilS * 1000);
  };
  for (let second = 0; second < endS;) {
    while (trace[row + 1].tMs / 1000 <= second) row += 1;
    const gib = trace[row].ram.othersBytes / GIB;
    const age = ageOf(second - trace[row].tMs / 1000);
    let to =
      held === NONE
        ? WAYS.findIndex((way) => fits(gib, way))
        : policy[at(held, binOf(gib), age, running.length)];
    if (to !== NONE && !fits(gib, WAYS[to])) to = NONE;
    const current = WAYS[held];
    if (to === NONE) {
      overS = fits(gib, current) ? 0 : overS + 1;
      if (overS <= DWELL_S) result.quality += current.quality;
      pass((second += 1), true);
      continue;
    }
    const end = Math.min(endS, second + WAYS[to].loadS);
    const both = current !== undefined && bothFit(gib, current, WAYS[to]);
    if (both) result.quality += current.quality * (end - second);
    else result.dropped += running.length;
    pass(end, both);
    if (current !== undefined) result.switches += 1;
    [running, held, overS, second] = [[], to, 0, end];
  }
  return result;
}

const course = HELD_BACK.find(({ name }) => name === 'levels-heavy');
const policies = Object.entries({ 'price 0 s': 0, 'price 30 s': 30 }).map(([name, price]) => [
  name,
  bestPolicy(price),
]);
let reference = 0;
const sums = {};
function add(name, run) {
  const sum = (sums[name] ??= { quality: 0, switches: 0, dropped: 0 });
  for (const key of Object.keys(sum)) sum[key] += run[key];
}
for (const seed of options.seeds.split(',').map(Number)) {
  const trace = course.trace(seed);
  const report = await simulate({ trace, models: SCENARIO_MODELS, limits, policy: 'mai', seed });
  reference += report.referenceQualityMs / 1000;
  const { switches, droppedRequests: dropped, qualityMs } = report;
  add('mai', { quality: qualityMs / 1000, switches, dropped });
  for (const [name, policy] of policies) add(name, runPolicy(policy, trace, seed));
}
console.log(`levels-heavy, seeds ${options.seeds}, quality relative to the clairvoyant planner:`);
console.table(
  Object.entries(sums).map(([policy, { quality, ...counts }]) => ({
    policy,
    quality: (quality / reference).toFixed(3),
    ...counts,
  })),
);
