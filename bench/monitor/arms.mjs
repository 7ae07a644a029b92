// Watches a machine once a second in one way, or does the yardstick's fixed work. monitor.mjs starts it:
//   node bench/monitor/arms.mjs NAME SECONDS
// Prints one JSON line: the CPU time of this process and of its children, and its memory.
import { readdirSync, readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedWork, warmUpFixedWork } from '../yardstick/fixed-work.mjs';

const WARM_UP_MS = 5000;
const TICKS_PER_SECOND = 100;
const ARMS = {
  idle: () => setInterval(() => undefined, 1000),
  yardstick: () => {
    warmUpFixedWork();
    setInterval(fixedWork, 1000);
  },
  mai: watch,
  'mai-gpu': watch,
  systeminformation: async () => {
    const { mem, currentLoad, graphics } = await import('systeminformation');
    setInterval(() => void Promise.all([mem(), currentLoad(), graphics()]), 1000);
  },
};

const [name, seconds] = process.argv.slice(2);
await ARMS[name]();
await sleep(WARM_UP_MS);
const [cpu, children, startedMs] = [process.cpuUsage(), childTicks(), performance.now()];
await sleep(Number(seconds) * 1000);
const { user, system } = process.cpuUsage(cpu);
const elapsedMs = performance.now() - startedMs;
console.log(
  JSON.stringify({
    ownPercent: (user + system) / 10 / elapsedMs,
    childPercent: ((childTicks() - children) / TICKS_PER_SECOND / elapsedMs) * 1e5,
    residentBytes: process.memoryUsage().rss,
  }),
);
process.exit();

async function watch() {
  const { createResourceMonitor } = await import('@mai/resource-monitor');
  const monitor = createResourceMonitor();
  void (async () => {
    for await (const snapshot of monitor.watch({ intervalMs: 1000 })) void snapshot;
  })();
}

/** CPU time of the children of this process, running and ended, in ticks. */
function childTicks() {
  const own = stat(process.pid);
  const living = readdirSync(`/proc/${process.pid}/task`)
    .flatMap((task) =>
      readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8').trim().split(' '),
    )
    .filter((processId) => processId !== '')
    .map((processId) => stat(processId));
  return living.reduce((sum, one) => sum + one[11] + one[12], own[13] + own[14]);
}

/** The fields of /proc/PID/stat after the name, which may contain spaces. */
function stat(processId) {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}
