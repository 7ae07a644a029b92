// Runs every scenario with every policy and prints the metrics. Build first:
//   node bench/autopilot/scenarios.mjs [scenario ...] [--odd] [--markdown] [--charts FOLDER] [--check]
// Defaults are tuned on odd seeds and reported on even ones. --markdown prints a table, --charts draws one SVG
// per scenario, --check exits with 1 where a target is missed.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';
import { judge } from '../yardstick/report.mjs';
import { queriesOfIdleHour } from './idle-queries.mjs';
import { drawScenario } from './scenario-chart.mjs';
import { timeDay, timeDecision } from './speed.mjs';

const { values: options, positionals: only } = parseArgs({
  allowPositionals: true,
  options: {
    odd: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    charts: { type: 'string' },
  },
});
const LONGEST = 'longestAvoidableOutOfMemoryMs';
/** Two seconds and one observation interval. */
const OUT_OF_MEMORY_MAX_MS = 3000;
const OTHERS = ['static', 'naive', 'lru-evict', 'jit-last'];
const seeds = options.odd ? [1, 3, 5] : [2, 4, 6];
const unknown = only.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) throw new Error(`There is no scenario '${unknown.join("', '")}'.`);

/**
 * Runs a policy over all seeds of a scenario. Figures are added up, except the longest out-of-memory stretch,
 * which is the longest of all seeds.
 */
async function runPolicy(scenario, policy) {
  const sum = {};
  let serving = [];
  for (const seed of seeds) {
    const first = seed === seeds[0];
    const report = await simulate({
      trace: scenario.trace(seed),
      models: SCENARIO_MODELS,
      limits: DEFAULT_SELECTION_POLICY,
      policy,
      seed,
      onServing: (one, atMs) => first && serving.push([atMs, one]),
    });
    for (const [key, value] of Object.entries(report)) {
      if (typeof value !== 'number') continue;
      sum[key] = key === LONGEST ? Math.max(sum[key] ?? 0, value) : (sum[key] ?? 0) + value;
    }
  }
  return { policy, serving, ...sum, qualityRatio: sum.qualityMs / sum.referenceQualityMs };
}

/**
 * Whether `one` dominates `other`: at least the same quality and less overload, or over 1 % more quality and
 * at most the same overload.
 */
function dominates(one, other) {
  return (
    (one.qualityMs >= other.qualityMs && one.overloadedMs < other.overloadedMs) ||
    (one.qualityMs > 1.01 * other.qualityMs && one.overloadedMs <= other.overloadedMs)
  );
}

/** Whether `one` has more quality and more overload than `other`. */
function incomparable(one, other) {
  return one.qualityMs > 1.01 * other.qualityMs && one.overloadedMs > other.overloadedMs;
}

const percent = (part, whole) => ((100 * part) / whole).toFixed(2);
const results = [];
for (const scenario of SCENARIOS) {
  if (only.length > 0 && !only.includes(scenario.name)) continue;
  const mai = await runPolicy(scenario, 'mai');
  const others = [];
  for (const policy of OTHERS) others.push(await runPolicy(scenario, policy));
  const dominatedBy = others.filter((other) => dominates(other, mai)).map(({ policy }) => policy);
  const tradeOff = others.filter((other) => incomparable(other, mai)).map(({ policy }) => policy);
  results.push({ scenario, mai, others, dominatedBy, tradeOff });
  if (!options.markdown) printScenario(results.at(-1));
  if (options.charts !== undefined) {
    mkdirSync(options.charts, { recursive: true });
    writeFileSync(
      path.join(options.charts, `${scenario.name}.svg`),
      drawScenario({
        scenario,
        trace: scenario.trace(seeds[0]),
        limits: DEFAULT_SELECTION_POLICY,
        runs: [mai, ...others],
        modelKeys: SCENARIO_MODELS.map((model) => model.profile.modelKey),
      }),
    );
  }
}

function printScenario({ scenario, mai, others, dominatedBy, tradeOff }) {
  const columns = [
    ['policy', 10],
    ['quality', 8],
    ['over %', 8],
    ['avoidable %', 12],
    ['flaps', 6],
    ['busy', 5],
    ['oom', 6],
    ['longest s', 11],
    ['switches', 9],
    ['forced', 7],
    ['dropped', 8],
  ];
  const line = (cells) =>
    console.log(
      `  ${cells.map((cell, index) => String(cell)[index === 0 ? 'padEnd' : 'padStart'](columns[index][1])).join('')}`,
    );
  console.log(`${scenario.name}${scenario.short ? ' (short excursions)' : ''}`);
  line(columns.map(([name]) => name));
  for (const one of [mai, ...others]) {
    line([
      one.policy,
      one.qualityRatio.toFixed(3),
      percent(one.overloadedMs, one.durationMs),
      percent(one.avoidableOverloadedMs, one.durationMs),
      one.flaps,
      one.busyEvictions,
      `${one.avoidableOutOfMemoryEvents}/${one.outOfMemoryEvents}`,
      (one[LONGEST] / 1000).toFixed(1),
      one.switches,
      one.emergencySwitches,
      one.droppedRequests,
    ]);
  }
  if (dominatedBy.length > 0) console.log(`  mai is dominated by ${dominatedBy.join(', ')}`);
  if (tradeOff.length > 0) {
    console.log(`  incomparable with mai (more quality, more overload): ${tradeOff.join(', ')}`);
  }
}

if (options.markdown) {
  const cell = (one) =>
    `${one.qualityRatio.toFixed(3)} / ${percent(one.overloadedMs, one.durationMs)}`;
  console.log(`| scenario | mai | ${OTHERS.join(' | ')} | mai: switches, forced, flaps, busy | |`);
  console.log(`| --- | --- | ${OTHERS.map(() => '---').join(' | ')} | --- | --- |`);
  for (const { scenario, mai, others, dominatedBy, tradeOff } of results) {
    const marks = [
      ...(scenario.short ? ['short'] : []),
      ...(dominatedBy.length > 0 ? [`dominated by ${dominatedBy.join(', ')}`] : []),
      ...(tradeOff.length > 0 ? [`incomparable with ${tradeOff.join(', ')}`] : []),
    ];
    const counts = [mai.switches, mai.emergencySwitches, mai.flaps, mai.busyEvictions].join(', ');
    console.log(
      `| ${scenario.name} | **${cell(mai)}** | ${others.map(cell).join(' | ')} | ${counts} | ${marks.join('; ')} |`,
    );
  }
}

const all = results.map(({ mai }) => mai);
const total = (key) => all.reduce((sum, one) => sum + one[key], 0);
const long = results.filter(({ scenario }) => !scenario.short);
const ratios = long.map(({ mai }) => mai.qualityRatio).sort((one, other) => one - other);
const middle = (ratios.length - 1) / 2;
const median = (ratios[Math.floor(middle)] + ratios[Math.ceil(middle)]) / 2;
const worst = ratios[0] ?? Number.NaN;
const avoidable = Math.max(...all.map((one) => one.avoidableOverloadedMs / one.durationMs));
const dominated = results.filter(({ dominatedBy }) => dominatedBy.length > 0);
const longest = Math.max(...all.map((one) => one[LONGEST]));
const day = await timeDay();
const decision = await timeDecision();
console.log(`
mai, seeds ${seeds.join(', ')}: quality ratio ${median.toFixed(3)} in the median and ${worst.toFixed(3)} at worst over ${long.length} scenarios without short excursions.
A simulated day takes ${(day.medianMs / 1000).toFixed(2)} s, a decision ${decision.medianMs.toFixed(3)} ms in the median and ${decision.p95Ms.toFixed(3)} ms at p95.
`);

const held = [
  judge('flaps', total('flaps'), 0),
  // Where memory has run out, a busy model is unloaded, because otherwise the machine would hang.
  judge('busy evictions while memory was left', total('busyEvictionsWithMemoryLeft'), 0),
  judge('avoidable out-of-memory events', total('avoidableOutOfMemoryEvents'), 0),
  judge(
    'longest avoidable out-of-memory stretch, seconds',
    longest / 1000,
    OUT_OF_MEMORY_MAX_MS / 1000,
  ),
  judge('avoidable overload, % of the time', 100 * avoidable, 1),
  judge('scenarios in which another policy dominates', dominated.length, 0),
  ratios.length === 0 || judge('quality lost in the median', 1 - median, 0.05),
  ratios.length === 0 || judge('quality lost at worst', 1 - worst, 0.15),
  judge('requests to the runtime in an idle hour', await queriesOfIdleHour(), 360),
];
// Speed depends on the machine, so a slow run does not make --check fail.
judge('a simulated day, in units of fixed work', day.ratio, 5000);
judge('a decision, in units of fixed work', decision.ratio, 0.15);
if (options.check && held.includes(false)) process.exitCode = 1;
