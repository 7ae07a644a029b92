// Runs the scenario library with every policy and prints what each made of it. Build first:
//   node bench/autopilot/scenarios.mjs [scenario] [--odd]
// Defaults are tuned on odd seeds and reported on even ones.
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/autopilot';

const GIB = 1024 ** 3;
const LIMITS = {
  memoryLimitRatio: 0.8,
  vramLimitRatio: 0.9,
  cpuLimitRatio: 0.8,
  hardLimitRatio: 0.92,
  unifiedHardLimitRatio: 0.85,
  upgradeBelowRatioMin: 0.65,
  minHeadroomBytes: GIB,
  dwellMs: 20_000,
  coolDownMs: 60_000,
  foreign: 'observe',
  foreignIdleMs: 600_000,
};
const POLICIES = ['mai', 'static', 'naive', 'lru-evict', 'jit-last'];
const only = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const seeds = process.argv.includes('--odd') ? [1, 3, 5] : [2, 4, 6];

const sum = (reports, key) => reports.reduce((total, report) => total + report[key], 0);
const percent = (part, whole) => ((100 * part) / whole).toFixed(2);
const columns = [
  ['scenario', 20],
  ['policy', 9],
  ['ratio', 6],
  ['switches', 8],
  ['forced', 6],
  ['flaps', 5],
  ['busy', 4],
  ['oom', 5],
  ['over %', 6],
  ['avoid %', 7],
  ['dropped', 7],
];
const line = (cells) =>
  console.log(
    cells
      .map((cell, index) => {
        const width = columns[index][1];
        return index < 2 ? String(cell).padEnd(width) : String(cell).padStart(width);
      })
      .join('  '),
  );

line(columns.map(([name]) => name));
const ratios = [];
const totals = { flaps: 0, busyEvictions: 0, avoidableOutOfMemoryEvents: 0 };
for (const scenario of SCENARIOS) {
  if (only !== undefined && scenario.name !== only) continue;
  for (const policy of POLICIES) {
    const reports = [];
    for (const seed of seeds) {
      const trace = scenario.trace(seed);
      reports.push(
        await simulate({ trace, models: SCENARIO_MODELS, limits: LIMITS, policy, seed }),
      );
    }
    const durationMs = sum(reports, 'durationMs');
    const ratio = sum(reports, 'qualityMs') / sum(reports, 'referenceQualityMs');
    line([
      scenario.name,
      policy,
      ratio.toFixed(3),
      sum(reports, 'switches'),
      sum(reports, 'emergencySwitches'),
      sum(reports, 'flaps'),
      sum(reports, 'busyEvictions'),
      `${sum(reports, 'avoidableOutOfMemoryEvents')}/${sum(reports, 'outOfMemoryEvents')}`,
      percent(sum(reports, 'overloadedMs'), durationMs),
      percent(sum(reports, 'avoidableOverloadedMs'), durationMs),
      sum(reports, 'droppedRequests'),
    ]);
    if (policy !== 'mai') continue;
    if (!scenario.short) ratios.push(ratio);
    for (const key of Object.keys(totals)) totals[key] += sum(reports, key);
  }
}
ratios.sort((one, other) => one - other);
console.log(
  `\nmai: median quality ratio ${ratios[Math.floor(ratios.length / 2)]?.toFixed(3)}, ` +
    `worst ${ratios[0]?.toFixed(3)} over ${ratios.length} scenarios without short excursions; ` +
    `flaps ${totals.flaps}, busy evictions ${totals.busyEvictions}, ` +
    `avoidable out-of-memory events ${totals.avoidableOutOfMemoryEvents}.`,
);
