// Holds 1,000 streams at once through the gateway and through the floor, and compares the memory of the two processes.
// Linux only. Build first:
//   node bench/gateway/streams.mjs [--streams 1000] [--rounds 3]
import { clearInterval, setInterval } from 'node:timers';
import { parseArgs } from 'node:util';
import { residentBytesOf } from '../yardstick/process-load.mjs';
import { judge, printTable } from '../yardstick/report.mjs';
import { median } from '../yardstick/statistics.mjs';
import { runClient, startServer } from './processes.mjs';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
  },
});
const [streams, rounds] = [values.streams, values.rounds].map(Number);
const TARGET_MEMORY = 4;
const SAMPLE_MS = 200;
const FILES = { floor: 'processes/floor.mjs', gateway: 'processes/gateway-process.mjs' };

const results = { floor: [], gateway: [] };
for (let round = 0; round < rounds; round += 1) {
  const names = round % 2 === 0 ? ['floor', 'gateway'] : ['gateway', 'floor'];
  for (const name of names) results[name].push(await measure(FILES[name]));
}
const mib = (bytes) => (bytes / 1024 ** 2).toFixed(0);
const of = (name, figure) => median(results[name].map((one) => one[figure]));
console.log(`${streams} streams held at once, medians of ${rounds} rounds`);
printTable(
  ['', 'before MiB', 'at most MiB', 'KiB a stream'],
  Object.keys(results).map((name) => [
    name,
    mib(of(name, 'beforeBytes')),
    mib(of(name, 'mostBytes')),
    ((of(name, 'mostBytes') - of(name, 'beforeBytes')) / 1024 / streams).toFixed(1),
  ]),
);
const lost = (name) => results[name].reduce((sum, one) => sum + one.lost, 0);
const notHeld = results.gateway.reduce((sum, one) => sum + (streams - one.mostOpen), 0);
judge('streams that the gateway lost', lost('gateway'), 0);
judge('streams that were not open at the same time', notHeld, 0);
judge(
  'memory, gateway to floor',
  of('gateway', 'mostBytes') / of('floor', 'mostBytes'),
  TARGET_MEMORY,
);
if (lost('floor') > 0) console.log(`The floor lost ${lost('floor')} streams.`);

/** One round in new processes, so that no round inherits memory. */
async function measure(file) {
  const upstream = await startServer('processes/upstream.mjs');
  const server = await startServer(file, { UPSTREAM: `http://127.0.0.1:${upstream.port}` });
  try {
    await runClient('processes/client.mjs', server.port, 'stream', 100, 2);
    const beforeBytes = residentBytesOf(server.processId);
    let mostBytes = beforeBytes;
    const sampler = setInterval(() => {
      mostBytes = Math.max(mostBytes, residentBytesOf(server.processId));
    }, SAMPLE_MS);
    const { lost, mostOpen } = await runClient(
      'processes/hold-client.mjs',
      server.port,
      upstream.port,
      streams,
    );
    clearInterval(sampler);
    return { beforeBytes, mostBytes, lost, mostOpen };
  } finally {
    for (const one of [upstream, server]) one.stop();
  }
}
