// A week of a company of fifty under the fleet's placement, beside fifty lone machines, round robin, and the least busy
// machine. Each machine runs a real autopilot on a simulated machine; see week/. Build first:
//   node bench/fleet/week.mjs [--seed N]... [--days N] [--machines 10,15,25] [--processes N] [--json]
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { judge, printTable } from '../yardstick/report.mjs';
import { ARMS } from './week/arms.mjs';
import { runWeek } from './week/run-week.mjs';

const TARGET_WAIT_RATIO = 0.5;
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1'] },
    days: { type: 'string', default: '7' },
    // Workstations, laptops and office computers.
    machines: { type: 'string', default: '10,15,25' },
    processes: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
    // One way to place requests, in this process; prints its figures as JSON.
    arm: { type: 'string' },
  },
});
const seeds = options.seed.map(Number);
const days = Number(options.days);
const machines = options.machines.split(',').map(Number);

if (options.arm !== undefined) {
  console.log(JSON.stringify(await runWeek(options.arm, seeds[0], { days, machines })));
} else {
  await main();
}

async function main() {
  const startedMs = performance.now();
  const rows = await runAll();
  const isMet = seeds.every((seed) => meets(rows.filter((row) => row.seed === seed)));
  if (options.json) {
    console.log(JSON.stringify({ schema: 'mai.bench.fleet-week/1', days, machines, isMet, rows }));
  } else {
    for (const seed of seeds)
      report(
        seed,
        rows.filter((row) => row.seed === seed),
      );
    console.log(
      `${((performance.now() - startedMs) / 1_000).toFixed(0)} s on ${options.processes} processes`,
    );
  }
  if (!isMet) process.exitCode = 1;
}

/** Every way to place requests with every seed. Each week is a process of its own. */
async function runAll() {
  const jobs = seeds.flatMap((seed) => Object.keys(ARMS).map((arm) => ({ arm, seed })));
  const rows = new Array(jobs.length);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const at = next;
      next += 1;
      rows[at] = await runInProcess(jobs[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(options.processes)) }, worker));
  return rows;
}

async function runInProcess({ arm, seed }) {
  const script = fileURLToPath(import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    '--arm',
    arm,
    '--seed',
    String(seed),
    '--days',
    String(days),
    '--machines',
    options.machines,
  ]);
  return JSON.parse(stdout);
}

function meets(rows) {
  const fleet = rows.find(({ arm }) => arm === 'fleet');
  return rows
    .filter((row) => row !== fleet)
    .every(
      ({ quality, waitP95Ms }) =>
        fleet.waitP95Ms <= TARGET_WAIT_RATIO * waitP95Ms && fleet.quality >= quality,
    );
}

function report(seed, rows) {
  console.log(
    `${days} days, seed ${seed}, ${machines.join(', ')} workstations, laptops and office computers, ${rows[0].requests.toLocaleString('en')} requests\n`,
  );
  const seconds = (ms) => (ms / 1_000).toFixed(1);
  printTable(
    ['placement', 'quality', 'wait p50, s', 'wait p95, s', 'answer p95, s', 'loads', 'dropped'],
    rows.map((row) => [
      row.title,
      row.quality.toFixed(3),
      seconds(row.waitP50Ms),
      seconds(row.waitP95Ms),
      seconds(row.totalP95Ms),
      row.loads.toLocaleString('en'),
      row.dropped.toLocaleString('en'),
    ]),
  );
  console.log('Wait p95 in seconds, by the machine of the one who asks:\n');
  const kinds = Object.keys(rows[0].waitP95MsByOwn);
  printTable(
    ['placement', ...kinds],
    rows.map(({ title, waitP95MsByOwn }) => [
      title,
      ...kinds.map((kind) => seconds(waitP95MsByOwn[kind])),
    ]),
  );
  const [fleet, ...others] = rows;
  for (const { title, waitP95Ms, quality } of others) {
    judge(
      `wait p95 of the fleet, against ${title}`,
      fleet.waitP95Ms / waitP95Ms,
      TARGET_WAIT_RATIO,
    );
    judge(`quality of ${title}, against the fleet`, quality / fleet.quality, 1);
  }
  console.log('');
}
