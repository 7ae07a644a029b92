// Runs the autopilot and the naive threshold over random traces of the others' use, and prints quality relative to the
// clairvoyant planner, switches and dropped requests. Build first:
//   node bench/autopilot/restless/restless.mjs [trace ...] [--seeds 1,3,5] [--held-back] [--library] [--policies mai,naive]
import { parseArgs } from 'node:util';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';
import { HELD_BACK, TUNED } from './restless-traces.mjs';

const { values: options, positionals: only } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '2,4,6' },
    'held-back': { type: 'boolean', default: false },
    library: { type: 'boolean', default: false },
    policies: { type: 'string', default: 'mai,naive' },
  },
});
const seeds = options.seeds.split(',').map(Number);
const policies = options.policies.split(',');
const all = options.library ? SCENARIOS : options['held-back'] ? HELD_BACK : TUNED;
const courses = all.filter(({ name }) => only.length === 0 || only.includes(name));

async function runPolicy(course, policy) {
  const sum = {};
  let worst = Infinity;
  for (const seed of seeds) {
    const report = await simulate({
      trace: course.trace(seed),
      models: SCENARIO_MODELS,
      limits: DEFAULT_SELECTION_POLICY,
      policy,
      seed,
    });
    worst = Math.min(worst, report.qualityRatio);
    for (const [key, value] of Object.entries(report)) {
      if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
    }
  }
  return { ...sum, worst, qualityRatio: sum.qualityMs / sum.referenceQualityMs };
}

const totals = new Map(policies.map((policy) => [policy, { ratios: [], switches: 0, dropped: 0 }]));
const rows = [];
for (const course of courses) {
  const row = { trace: course.name };
  for (const policy of policies) {
    const run = await runPolicy(course, policy);
    row[policy] = run.qualityRatio.toFixed(3);
    row[`${policy} worst`] = run.worst.toFixed(3);
    row[`${policy} switches`] = run.switches;
    row[`${policy} dropped`] = run.droppedRequests;
    if (policy === 'mai') {
      row.flaps = run.flaps;
      row.forced = run.emergencySwitches;
      row['avoidable s'] = run.avoidableOverloadedMs / 1000;
      row.busy = run.busyEvictions;
    }
    const total = totals.get(policy);
    total.ratios.push(run.qualityRatio);
    total.switches += run.switches;
    total.dropped += run.droppedRequests;
  }
  rows.push(row);
}
console.table(rows);
for (const [policy, { ratios, switches, dropped }] of totals) {
  ratios.sort((one, other) => one - other);
  const median = (ratios[(ratios.length - 1) >> 1] + ratios[ratios.length >> 1]) / 2;
  console.log(
    `${policy}: quality ${median.toFixed(3)} in the median, ${ratios[0]?.toFixed(3)} at worst; ${switches} switches, ${dropped} dropped requests`,
  );
}
