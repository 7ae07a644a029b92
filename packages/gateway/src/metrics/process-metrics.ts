import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';
import { gaugesOf } from './gauges-of.js';

const MICROSECONDS = 1e6;
const OPEN_FILES = '/proc/self/fd';

/**
 * Adds the metrics of this process, under the names that Prometheus and its Node client use. They are read when Prometheus
 * asks. prom-client's own default metrics would wake the process a hundred times a second to measure the delay of the event
 * loop, also while nobody uses the gateway.
 */
export function addProcessMetrics(registers: Registry[]): void {
  const gauge = gaugesOf(registers);
  const cpuSeconds = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read() / MICROSECONDS);
      },
    });
  };
  cpuSeconds('process_cpu_seconds_total', 'CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  });
  cpuSeconds(
    'process_cpu_user_seconds_total',
    'CPU time of the process outside the kernel.',
    () => process.cpuUsage().user,
  );
  cpuSeconds(
    'process_cpu_system_seconds_total',
    'CPU time of the process in the kernel.',
    () => process.cpuUsage().system,
  );
  const startedSeconds = Math.round(Date.now() / 1000 - process.uptime());
  gauge(
    'process_start_time_seconds',
    'When the process was started, in Unix time.',
    () => startedSeconds,
  );
  gauge('process_resident_memory_bytes', 'RAM that the process holds.', () =>
    process.memoryUsage.rss(),
  );
  gauge(
    'nodejs_heap_size_total_bytes',
    'Memory that the JavaScript heap has reserved.',
    () => process.memoryUsage().heapTotal,
  );
  gauge(
    'nodejs_heap_size_used_bytes',
    'Memory of JavaScript objects.',
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside the JavaScript heap that its objects hold, such as buffers.',
    () => process.memoryUsage().external,
  );
  new Gauge({
    name: 'nodejs_version_info',
    help: 'Version of Node.js; always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version: process.version }, 1);
  if (process.platform === 'linux') {
    // The list is read through a file descriptor of its own.
    gauge(
      'process_open_fds',
      'Open file descriptors of the process.',
      () => readdirSync(OPEN_FILES).length - 1,
    );
  }
}
