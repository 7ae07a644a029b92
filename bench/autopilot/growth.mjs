// Compares the policies for growth after a load (switching.growth). Build first:
//   node bench/autopilot/growth.mjs [--seeds 2,4,6] [--markdown] [--scenarios a,b] [--processes]
// Every scenario runs with models that may grow by 8 GiB, as LM Studio's prompt cache does by default, and
// that really grow by nothing, by a little, or by all of the 8 GiB.
import { parseArgs } from 'node:util';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';

const GIB = 1024 ** 3;
const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2,4,6' },
    scenarios: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    processes: { type: 'boolean', default: false },
  },
});
const seeds = options.seeds.split(',').map(Number);
const only = options.scenarios?.split(',') ?? null;
const POLICIES = ['charge', 'reserve-share', 'ignore'];
/** lmstudio-bug-tracker #1764: 4.7 GB within two minutes. */
const BEHAVIOURS = [
  { name: 'no growth', reachedGib: 0, perRequestGib: 0 },
  { name: '2 GiB, slowly', reachedGib: 2, perRequestGib: 0.1 },
  { name: '8 GiB, slowly', reachedGib: 8, perRequestGib: 0.1 },
  { name: '8 GiB, fast', reachedGib: 8, perRequestGib: 1 },
];

const rows = [];
for (const { name, reachedGib, perRequestGib } of BEHAVIOURS) {
  for (const growth of POLICIES) {
    const sum = {};
    for (const scenario of SCENARIOS) {
      if (only !== null && !only.includes(scenario.name)) continue;
      for (const seed of seeds) {
        const report = await simulate({
          trace: scenario.trace(seed),
          models: SCENARIO_MODELS,
          limits: { ...DEFAULT_SELECTION_POLICY, growth },
          seed,
          processesKnown: options.processes,
          growth: Object.fromEntries(
            SCENARIO_MODELS.map(({ profile }) => [
              profile.modelKey,
              {
                mostBytes: 8 * GIB,
                reachedBytes: reachedGib * GIB,
                bytesPerRequest: perRequestGib * GIB,
              },
            ]),
          ),
        });
        for (const [key, value] of Object.entries(report)) {
          if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
        }
      }
    }
    rows.push({
      growth: name,
      policy: growth,
      quality: (sum.qualityMs / sum.referenceQualityMs).toFixed(3),
      'self-caused': sum.selfCausedSwitches,
      switches: sum.switches,
      flaps: sum.flaps,
      'avoidable oom': sum.avoidableOutOfMemoryEvents,
      'over hard %': ((100 * sum.overloadedMs) / sum.durationMs).toFixed(2),
      'busy evictions': sum.busyEvictions,
      dropped: sum.droppedRequests,
    });
  }
}
if (options.markdown) {
  const columns = Object.keys(rows[0]);
  console.log(`| ${columns.join(' | ')} |`);
  console.log(`| ${columns.map(() => '---').join(' | ')} |`);
  for (const row of rows) console.log(`| ${columns.map((column) => row[column]).join(' | ')} |`);
} else console.table(rows);
