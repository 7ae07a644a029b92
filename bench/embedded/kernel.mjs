// The kernel's own verdict. Models, autopilot, client and a process that takes real memory run inside a memory control group
// with a limit: once with Mai, once with a static choice, once with a rule of thumb (80 %). Build first, as root on Linux:
//   node bench/embedded/kernel.mjs [--trace FILE.jsonl] [--limit 1536MiB] [--policy mai|static|naive|all] [--seeds 2,4] [--json]
// A trace has one row on each line: {"tMs": 0, "othersBytes": 1000}. Each policy serves through the same gateway. Exits with 1 where the
// kernel killed a process or a request failed under Mai, with 2 where an option or a trace is wrong, and with 0 where no control
// group can be made (the reason is printed).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printTable } from '../yardstick/report.mjs';
import { createControlGroup } from './kernel/control-group.mjs';
import { weightBytesOf, writeModels } from './kernel/models.mjs';
import { readTrace } from './kernel/read-trace.mjs';
import { kernelTraces, reasonToReject } from './kernel/traces.mjs';

const MIB = 1024 ** 2;
const HARD_LIMIT_RATIO = 0.92;
/** Node processes of the runner, of an engine and of the process that takes memory. */
const OWN_BYTES = 260 * MIB;
const SAMPLE_MS = 100;
const RUNNER = fileURLToPath(new URL('./kernel/run-in-group.mjs', import.meta.url));

const { values: options } = orEnd(() =>
  parseArgs({
    options: {
      trace: { type: 'string' },
      limit: { type: 'string', default: '1536MiB' },
      policy: { type: 'string', default: 'all' },
      seeds: { type: 'string', default: '2' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  }),
);
const POLICIES = ['mai', 'static', 'naive'];
const limitBytes = orEnd(() => parseSize(options.limit));
const policies = orEnd(() => parsePolicies(options.policy));
const courses = orEnd(traces);
const say = (text) => (options.json ? console.error(text) : console.log(text));
const results = [];
const rejected = [];
const accepted = courses.filter((trace) => {
  const reason = reasonToReject(trace.rows, {
    limitBytes,
    hardLimitRatio: HARD_LIMIT_RATIO,
    ownBytes: OWN_BYTES,
    smallestBytes: weightBytesOf('small'),
  });
  if (reason === null) return true;
  rejected.push({ trace: trace.name, seed: trace.seed, reason });
  say(`Rejected: ${nameOf(trace)}: ${reason}.`);
  return false;
});
if (accepted.length === 0) end(null);

const probe = createControlGroup(`mai-kernel-${process.pid}-probe`, limitBytes);
if ('reason' in probe) {
  say(`Skipped: ${probe.reason}.`);
  end(probe.reason);
}
await probe.remove();

const folder = mkdtempSync(path.join(tmpdir(), 'mai-kernel-'));
try {
  const modelFolder = path.join(folder, 'models');
  await writeModels(modelFolder);
  for (const trace of accepted) {
    for (const policy of policies) results.push(await runOnce(trace, policy, modelFolder));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

end(null);

/** Prints the results and ends. `skipped`: why nothing could be run; null if the policies ran. */
function end(skipped) {
  if (options.json) {
    console.log(JSON.stringify({ schemaVersion: 1, limitBytes, skipped, results, rejected }));
  } else if (results.length > 0) {
    print();
  }
  const failed = results.some(
    ({ policy, kills, failed: requests }) => policy === 'mai' && kills + requests > 0,
  );
  process.exit(failed ? 1 : 0);
}

function traces() {
  if (options.trace === undefined) {
    const seeds = options.seeds.split(',').map(Number);
    if (!seeds.every(Number.isSafeInteger))
      throw new Error(`${options.seeds} is not a list of seeds. Write 2,4.`);
    return kernelTraces(limitBytes, seeds).filter(
      ({ name }) => options.only === undefined || name.includes(options.only),
    );
  }
  return [{ name: path.basename(options.trace), seed: null, rows: readTrace(options.trace) }];
}

function nameOf({ name, seed }) {
  return seed === null ? name : `${name} (seed ${seed})`;
}

/** The result of `read`. Prints the error and ends with 2 where an option or a trace is wrong. */
function orEnd(read) {
  try {
    return read();
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function parsePolicies(name) {
  if (name === 'all') return POLICIES;
  if (POLICIES.includes(name)) return [name];
  throw new Error(`${name} is not a policy. Write mai, static, naive or all.`);
}

/** One policy through one trace, in a group of its own. */
async function runOnce({ name, seed, rows }, policy, modelFolder) {
  dropCaches();
  const group = createControlGroup(`mai-kernel-${process.pid}`, limitBytes);
  const workFolder = path.join(folder, `${policy}-work`);
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder);
  const heldFile = path.join(workFolder, 'held');
  writeFileSync(heldFile, '0');
  const task = {
    policy,
    rows,
    limitBytes,
    folder: modelFolder,
    workFolder,
    heldFile,
    processesFile: group.processesFile,
  };
  const child = spawn(process.execPath, [RUNNER, JSON.stringify(task)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let overMs = 0;
  let peak = 0;
  const sample = setInterval(() => {
    const held = group.heldBytes();
    writeFileSync(heldFile, String(held));
    peak = Math.max(peak, held);
    if (held > HARD_LIMIT_RATIO * limitBytes) overMs += SAMPLE_MS;
  }, SAMPLE_MS);
  const deadline = setTimeout(() => child.kill('SIGKILL'), rows.at(-1).tMs + 90_000);
  const ended = await new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  clearInterval(sample);
  clearTimeout(deadline);
  const kills = group.kills();
  await group.remove();
  const file = path.join(workFolder, 'result.json');
  const totals = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : {
        requests: 0,
        failed: 1,
        tokens: 0,
        answeredMs: 0,
        qualityMs: 0,
        served: {},
        errors: [`the run ended early (${ended.signal ?? ended.code})`],
      };
  const result = {
    trace: name,
    seed,
    policy,
    kills,
    secondsOverHardLimit: overMs / 1000,
    peakBytes: peak,
    ...totals,
    // By time, because a small model answers more requests in the same time.
    meanQuality: totals.answeredMs === 0 ? 0 : totals.qualityMs / totals.answeredMs,
  };
  say(
    `${nameOf({ name, seed })}, ${policy}: ${kills} kills, ${result.secondsOverHardLimit.toFixed(1)} s over the hard limit, ` +
      `${totals.failed} of ${totals.requests} requests failed, ${totals.tokens} tokens, quality ${result.meanQuality.toFixed(2)}, ` +
      `${JSON.stringify(totals.served)}${totals.errors.length > 0 ? `; first error: ${totals.errors[0]}` : ''}`,
  );
  return result;
}

function print() {
  console.log('');
  printTable(
    [
      'trace',
      'policy',
      'kernel kills',
      's over the hard limit',
      'requests failed',
      'tokens',
      'quality',
    ],
    results.map((one) => [
      one.trace,
      one.policy,
      one.kills,
      one.secondsOverHardLimit.toFixed(1),
      `${one.failed} of ${one.requests}`,
      one.tokens,
      one.meanQuality.toFixed(2),
    ]),
  );
}

/** So that the pages of the model files are charged to the group that reads them. */
function dropCaches() {
  writeFileSync('/proc/sys/vm/drop_caches', '1');
}

function parseSize(text) {
  const [, number, unit] = /^([\d.]+)\s*(GiB|MiB|GB|MB)?$/.exec(text) ?? [];
  if (!(Number(number) > 0)) throw new Error(`${text} is not a size. Write 2GiB.`);
  const bytes = { GiB: 1024 ** 3, MiB: MIB, GB: 1e9, MB: 1e6 }[unit ?? 'MiB'];
  return Math.round(Number(number) * bytes);
}
