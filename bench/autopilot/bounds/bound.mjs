// How good can a policy be that does not see the future? Three policies are compared with the planner that sees the future, on
// random traces whose statistics are known exactly: the autopilot, and the best policy that knows these statistics but not the
// future, once with free switches and once with switches that have a price. Build first:
//   node bench/autopilot/bounds/bound.mjs [trace ...] [--seeds 2,4] [--price 30]
// The price of a switch is a number of seconds without the value of the loaded model. The default is twice what the autopilot counts.
import { parseArgs } from 'node:util';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, simulate } from '@mai/simulation';
import { bestCausalPolicy, runCausalPolicy } from './causal-bound.mjs';
import { HELD_BACK, STATISTICS, TUNED } from '../restless/restless-traces.mjs';

const { values: options, positionals: only } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '2,4' },
    price: { type: 'string', default: '30' },
  },
});
const GIB = 2 ** 30;
const price = Number(options.price);
const seeds = options.seeds.split(',').map(Number);
const limits = DEFAULT_SELECTION_POLICY;
const dwellS = limits.dwellMs / 1000;

/** The ways to load the models of the scenarios, by the pool that the trace changes. */
function waysOn(machine) {
  const [totalGib, ratio] =
    machine === 'gpu' ? [24, limits.vramLimitRatio] : [32, limits.memoryLimitRatio];
  const bytesOf = (one) => (machine === 'gpu' ? one.vramBytes : one.footprintBytes);
  return SCENARIO_MODELS.flatMap((model, index) =>
    [model, ...model.cheaperLoadOptions].map((option) => {
      const isLast = index === SCENARIO_MODELS.length - 1;
      const limitGib = totalGib * ratio;
      const neededGib = bytesOf(option) / GIB;
      const allowedGib = isLast ? totalGib * limits.hardLimitRatio : limitGib;
      return {
        limitGib,
        neededGib,
        highestGib: allowedGib - neededGib,
        quality: option.quality,
        loadS: model.loadMs / 1000,
      };
    }),
  );
}

/** The level of each second. */
function levelsOf(trace, machine) {
  const levels = [];
  for (const [index, row] of trace.entries()) {
    const bytes = machine === 'gpu' ? row.gpus[0].othersBytes : row.ram.othersBytes;
    const untilMs = trace[index + 1]?.tMs ?? row.tMs;
    while (levels.length * 1000 < untilMs) levels.push(bytes / GIB);
  }
  return levels;
}

const unknown = only.find((name) => STATISTICS[name] === undefined);
if (unknown !== undefined)
  throw new Error(
    `The statistics of ${unknown} are not known. Traces: ${Object.keys(STATISTICS).join(', ')}.`,
  );
const rows = [];
for (const course of [...TUNED, ...HELD_BACK]) {
  const statistics = STATISTICS[course.name];
  if (statistics === undefined || (only.length > 0 && !only.includes(course.name))) continue;
  const { machine } = statistics;
  const ways = waysOn(machine);
  const free = bestCausalPolicy({ ...statistics, ways, dwellS, price: 0 });
  const priced = bestCausalPolicy({ ...statistics, ways, dwellS, price });
  const sum = {
    reference: 0,
    mai: 0,
    maiSwitches: 0,
    free: 0,
    freeSwitches: 0,
    priced: 0,
    pricedSwitches: 0,
  };
  for (const seed of seeds) {
    const trace = course.trace(seed);
    const report = await simulate({ trace, models: SCENARIO_MODELS, limits, policy: 'mai', seed });
    const levels = levelsOf(trace, machine);
    sum.reference += report.referenceQualityMs / 1000;
    sum.mai += report.qualityMs / 1000;
    sum.maiSwitches += report.switches;
    for (const [name, policy] of Object.entries({ free, priced })) {
      const { quality, switches } = runCausalPolicy(policy, levels);
      sum[name] += quality;
      sum[`${name}Switches`] += switches;
    }
  }
  const ratio = (quality) => (quality / sum.reference).toFixed(3);
  rows.push({
    course: course.name,
    'best without foresight': ratio(sum.free),
    'its switches': sum.freeSwitches,
    'best with priced switches': ratio(sum.priced),
    'its switches ': sum.pricedSwitches,
    mai: ratio(sum.mai),
    'mai switches': sum.maiSwitches,
  });
}
console.table(rows);
