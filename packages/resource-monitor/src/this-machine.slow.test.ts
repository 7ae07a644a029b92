import { readdirSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { createFastClock } from '../test/real-programs.js';
import { createResourceMonitor } from './create-resource-monitor.js';

const onLinux = process.platform === 'linux' ? test : test.skip;
const MIB = 1024 ** 2;

onLinux(
  'this Linux machine is read for an hour, accelerated, without leaking descriptors, children or memory',
  async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect: () => void = vm.runInNewContext('gc');
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const monitor = createResourceMonitor({ clock: createFastClock(1000), env: { PATH: '' } });
    const controller = new AbortController();
    let samples = 0;
    let heapAfterWarmUp = 0;
    let openAfterWarmUp = 0;
    const watching = (async () => {
      for await (const sample of monitor.watch({ intervalMs: 1000, signal: controller.signal })) {
        samples += sample.ram.totalBytes > 0 ? 1 : 0;
        if (samples === 600) {
          collect();
          heapAfterWarmUp = process.memoryUsage().heapUsed;
          openAfterWarmUp = descriptors();
        }
        if (samples === 3600) controller.abort();
      }
    })();
    await expect(watching).rejects.toThrow();
    collect();
    expect(process.memoryUsage().heapUsed - heapAfterWarmUp).toBeLessThan(4 * MIB);
    expect(descriptors()).toBeLessThanOrEqual(openAfterWarmUp);
    await monitor[Symbol.asyncDispose]();
    expect(descriptors()).toBeLessThanOrEqual(before);
  },
  120_000,
);
