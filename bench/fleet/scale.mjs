// Measures what the membership of a fleet costs on one nats-server: messages and bytes a second, CPU and memory of the
// server and of one reader, and the time from a change to the moment when a reader shows it. Build first:
//   node bench/fleet/scale.mjs [--quick] [--json] [--hosts N --readers N] [--max-pending MIB]
// Hosts send a heartbeat every 2 s and change their state every 30 s on average. Publishers, readers and the server are
// processes of their own. Every reader holds a watcher and reads all heartbeats, as a gateway does.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { printTable } from '../yardstick/report.mjs';
import { startNats, startProcess } from './scale/processes.mjs';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    hosts: { type: 'string' },
    readers: { type: 'string' },
    // As in the configuration that Mai writes.
    'max-pending': { type: 'string', default: '40' },
  },
});
const MAX_PENDING_BYTES = Number(flags['max-pending']) * 1024 ** 2;

const MEASURE_MS = flags.quick ? 5_000 : 20_000;
const HOSTS = flags.hosts ? [Number(flags.hosts)] : flags.quick ? [10, 100] : [10, 100, 1_000];
const READERS = flags.readers ? [Number(flags.readers)] : flags.quick ? [1, 5] : [1, 20];
/** Further numbers of readers, tried with the largest number of hosts until the fan-out breaks. */
const MORE_READERS = flags.quick || flags.readers ? [] : [50, 100, 200, 400, 800];
/** The fan-out is broken once a reader does not see all hosts, misses this share of the heartbeats, or changes take this long. */
const BROKEN = { missedRatio: 0.05, p95Ms: 1_000 };
const READERS_IN_PROCESS = 50;
const HOSTS_IN_PROCESS = 250;

let natsVersion = 'unknown';
const rows = [];
for (const hosts of HOSTS) for (const readers of READERS) rows.push(await measure(hosts, readers));
for (const readers of MORE_READERS) {
  const row = await measure(HOSTS.at(-1), readers);
  rows.push(row);
  if (row.broken) break;
}

if (flags.json) {
  console.log(JSON.stringify({ machine: machine(), measureMs: MEASURE_MS, rows }, null, 2));
} else {
  const { cpus, model, node, nats } = machine();
  console.log(
    `${cpus} cores of ${model}, Node ${node}, nats-server ${nats}, max_pending ${flags['max-pending']} MiB`,
  );
  printTable(
    [
      'hosts',
      'readers',
      'in msg/s',
      'out msg/s',
      'in kB/s',
      'out kB/s',
      'server CPU',
      'server MB',
      'peak MB',
      'reader CPU',
      'reader MB',
      'visible ms',
      'p95 ms',
      'missed',
      'load',
      'cut off',
      'broken',
    ],
    rows.map((row) => [
      row.hosts,
      row.readers,
      Math.round(row.inMessagesPerSecond),
      Math.round(row.outMessagesPerSecond),
      Math.round(row.inBytesPerSecond / 1e3),
      Math.round(row.outBytesPerSecond / 1e3),
      percent(row.serverCpuRatio),
      Math.round(row.serverBytes / 1e6),
      Math.round(row.serverPeakBytes / 1e6),
      percent(row.readerCpuRatio),
      Math.round(row.readerBytes / 1e6),
      row.visibleMs.median?.toFixed(1) ?? '-',
      row.visibleMs.p95?.toFixed(1) ?? '-',
      percent(row.missedRatio),
      row.load.toFixed(1),
      row.slowConsumers,
      row.broken ? 'yes' : 'no',
    ]),
  );
}

async function measure(hosts, readers) {
  console.error(`${hosts} hosts, ${readers} readers ...`);
  const server = await startNats(MAX_PENDING_BYTES);
  natsVersion = server.version;
  const processes = [];
  try {
    const start = async (file, options) => {
      const one = await startProcess(file, { url: server.url, ...options });
      processes.push(one);
      return one;
    };
    // The reader whose CPU counts only reads. Another one measures when changes are visible, which costs CPU by itself.
    const reader = await start('reader.mjs', { name: 'reader', measures: false });
    const watcher =
      readers > 1 ? await start('reader.mjs', { name: 'watcher', measures: true }) : null;
    for (let first = 2; first < readers; first += READERS_IN_PROCESS)
      await start('crowd.mjs', { first, count: Math.min(READERS_IN_PROCESS, readers - first) });
    const publishers = [];
    for (let first = 0; first < hosts; first += HOSTS_IN_PROCESS)
      publishers.push(
        await start('publishers.mjs', { first, count: Math.min(HOSTS_IN_PROCESS, hosts - first) }),
      );
    const { converged } = await reader.ask({ type: 'until-usable', hosts });

    await reader.ask({ type: 'begin' });
    await watcher?.ask({ type: 'begin' });
    const sent = await total(publishers);
    const before = await server.usage();
    await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
    const after = await server.usage();
    const sentAfter = await total(publishers);
    const read = await reader.ask({ type: 'end' });
    const seconds = (after.atMs - before.atMs) / 1000;
    const perSecond = (name) => (after[name] - before[name]) / seconds;
    // A single reader measures visibility in a second run, because the CPU time of this would count as that of the reading.
    const visibleMs = watcher
      ? (await watcher.ask({ type: 'end' })).visibleMs
      : await alone(reader);
    const expected = sentAfter - sent;
    const missedRatio = Math.max(0, 1 - read.heartbeats / expected);
    return {
      hosts,
      readers,
      inMessagesPerSecond: perSecond('inMessages'),
      outMessagesPerSecond: perSecond('outMessages'),
      inBytesPerSecond: perSecond('inBytes'),
      outBytesPerSecond: perSecond('outBytes'),
      serverCpuRatio: perSecond('cpuSeconds'),
      serverBytes: after.residentBytes,
      serverPeakBytes: after.peakBytes,
      slowConsumers: after.slowConsumers,
      readerCpuRatio: read.cpuMs / 1000 / seconds,
      readerBytes: read.residentBytes,
      visibleMs,
      missedRatio,
      converged,
      load: os.loadavg()[0],
      broken:
        !converged ||
        missedRatio > BROKEN.missedRatio ||
        visibleMs.p95 > BROKEN.p95Ms ||
        after.slowConsumers > 0,
    };
  } finally {
    for (const one of processes) one.stop();
    await server.stop();
  }
}

async function alone(reader) {
  await reader.ask({ type: 'begin', measures: true });
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  return (await reader.ask({ type: 'end' })).visibleMs;
}

async function total(publishers) {
  const counts = await Promise.all(publishers.map((one) => one.ask({ type: 'count' })));
  return counts.reduce((sum, { heartbeats }) => sum + heartbeats, 0);
}

function percent(ratio) {
  return `${(ratio * 100).toFixed(1)} %`;
}

function machine() {
  const [cpu] = os.cpus();
  return {
    cpus: os.cpus().length,
    model: cpu?.model ?? 'unknown',
    node: process.versions.node,
    nats: natsVersion,
  };
}
