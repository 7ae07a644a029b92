// Runs the scenario library with every policy and prints what each made of it. Build first:
//   node bench/autopilot/scenarios.mjs [scenario ...] [--odd] [--markdown] [--charts FOLDER] [--check]
// Defaults are tuned on odd seeds and reported on even ones. --markdown prints the table of the README,
// --charts draws one SVG per scenario, --check exits with 1 where something that was promised is not held.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';
import { LIMITS } from './limits.mjs';
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
const OTHERS = ['static', 'naive', 'lru-evict', 'jit-last'];
const seeds = options.odd ? [1, 3, 5] : [2, 4, 6];
const unknown = only.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) throw new Error(`There is no scenario '${unknown.join("', '")}'.`);

/** One policy over all seeds of a scenario, added up. */
async function runPolicy(scenario, policy) {
  const sum = {};
  let serving = [];
  for (const seed of seeds) {
    const first = seed === seeds[0];
    const report = await simulate({
      trace: scenario.trace(seed),
      models: SCENARIO_MODELS,
      limits: LIMITS,
      policy,
      seed,
      onServing: (one, atMs) => first && serving.push([atMs, one]),
    });
    for (const [key, value] of Object.entries(report)) {
      if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
    }
  }
  return { policy, serving, ...sum, qualityRatio: sum.qualityMs / sum.referenceQualityMs };
}

/** At least as much quality and less overload, or over 1 % more quality at equal or less overload. */
function dominates(one, other) {
  return (
    (one.qualityMs >= other.qualityMs && one.overloadedMs < other.overloadedMs) ||
    (one.qualityMs > 1.01 * other.qualityMs && one.overloadedMs <= other.overloadedMs)
  );
}

/** Better in one respect and worse in the other, by more than a rounding. */
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
        limits: LIMITS,
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
const dayMs = await timeDay();
const decision = await timeDecision();
console.log(`
mai, seeds ${seeds.join(', ')}: quality ratio ${median.toFixed(3)} in the median and ${worst.toFixed(3)} at worst over ${long.length} scenarios without short excursions.
Flaps ${total('flaps')}, busy evictions ${total('busyEvictions')}, avoidable out-of-memory events ${total('avoidableOutOfMemoryEvents')}, avoidable overload at most ${(100 * avoidable).toFixed(3)} % of the time; dominated in ${dominated.length} scenarios.
A simulated day takes ${(dayMs / 1000).toFixed(2)} s; a decision ${decision.medianMs.toFixed(3)} ms, ${decision.p95Ms.toFixed(3)} ms at p95.`);

const held =
  total('flaps') + total('busyEvictions') + total('avoidableOutOfMemoryEvents') === 0 &&
  avoidable < 0.01 &&
  dominated.length === 0 &&
  (ratios.length === 0 || (median >= 0.95 && worst >= 0.85));
if (options.check && !held) process.exitCode = 1;
