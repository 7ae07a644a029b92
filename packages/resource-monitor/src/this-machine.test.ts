import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createResourceMonitor } from './create-resource-monitor.js';

// Compares with independent readings of the machine that runs the tests.
const onLinux = process.platform === 'linux' ? describe : describe.skip;
const MIB = 1024 ** 2;

test("total memory is the system's, and some of it is free", async () => {
  await using monitor = createResourceMonitor();
  const { ram, cpu, sources } = await monitor.snapshot();
  expect(ram.machineTotalBytes).toBe(totalmem());
  expect(ram.totalBytes).toBeLessThanOrEqual(ram.machineTotalBytes);
  expect(ram.availableBytes).toBeGreaterThan(0);
  expect(cpu.cores).toBeGreaterThan(0);
  expect(sources.find(({ figure }) => figure === 'ram')?.source).not.toBeNull();
});

onLinux('this Linux machine', () => {
  test('has the memory that free(1) prints', async () => {
    await using monitor = createResourceMonitor();
    let free: readonly number[];
    try {
      const text = execFileSync('free', ['-b'], { encoding: 'utf8' });
      free = (/^Mem:\s+(.*)$/m.exec(text)?.[1] ?? '').split(/\s+/).map(Number);
    } catch (error) {
      // Not every container has free(1), which is part of procps.
      if (!isAbsent(error)) throw error;
      return;
    }
    const { ram } = await monitor.snapshot();
    expect(ram.machineTotalBytes).toBe(free[0]);
    if (ram.limitedBy === 'cgroup') return;
    // Other tests use and free memory between the two readings.
    expect(Math.abs((ram.availableBytes ?? 0) - (free[5] ?? 0))).toBeLessThan(1024 * MIB);
  });

  test('has the CPU load computed from /proc/stat', async () => {
    const busyAndTotal = (): readonly [number, number] => {
      const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
        .split(/\s+/)
        .slice(1, 9)
        .map(Number);
      const total = fields.reduce((sum, one) => sum + one, 0);
      return [total - (fields[3] ?? 0) - (fields[4] ?? 0), total];
    };
    await using monitor = createResourceMonitor();
    await monitor.snapshot();
    const [busyBefore, totalBefore] = busyAndTotal();
    await sleep(1500);
    const [busy, total] = busyAndTotal();
    const { cpu } = await monitor.snapshot();
    const byHand = (busy - busyBefore) / (total - totalBefore);
    // In a control group with a quota, the load is relative to the quota and cannot be compared.
    if (cpu.cores * 100 >= total - totalBefore) return;
    expect(Math.abs((cpu.utilizationRatio ?? -1) - byHand)).toBeLessThan(0.15);
  });

  test('has the limit of its control group as total memory', async () => {
    const group = makeLimitedGroup(256 * MIB);
    if (group === null) {
      process.stderr.write('Skipped: this process may not create a control group.\n');
      return;
    }
    try {
      const script = `
        require('node:fs').writeFileSync('${group}/cgroup.procs', String(process.pid));
        const { createResourceMonitor } = require(process.argv[1]);
        const monitor = createResourceMonitor({ env: { PATH: '' } });
        monitor.snapshot().then(({ ram }) => {
          console.log(JSON.stringify(ram));
          return monitor[Symbol.asyncDispose]();
        });`;
      const built = `${__dirname}/../dist/index.cjs`;
      const text = execFileSync(process.execPath, ['-e', script, built], { encoding: 'utf8' });
      const ram: { availableBytes: number } = JSON.parse(text);
      expect(ram).toMatchObject({ totalBytes: 256 * MIB, limitedBy: 'cgroup' });
      expect(ram.availableBytes).toBeGreaterThan(0);
      expect(ram.availableBytes).toBeLessThan(256 * MIB);
    } finally {
      // The kernel releases the group shortly after its last process has ended.
      for (let tries = 0; tries < 50 && existsSync(group); tries += 1) {
        try {
          rmdirSync(group);
        } catch {
          await sleep(20);
        }
      }
    }
  });
});

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Creates a control group with a memory limit; null if that is not allowed. */
function makeLimitedGroup(limitBytes: number): string | null {
  const [root, file] = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')
    ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
    : ['/sys/fs/cgroup', 'memory.max'];
  const group = `${root}/mai-test-${process.pid}`;
  try {
    mkdirSync(group);
  } catch {
    return null;
  }
  try {
    // The file exists only if the group has the memory controller.
    if (existsSync(`${group}/${file}`)) {
      writeFileSync(`${group}/${file}`, String(limitBytes));
      return group;
    }
  } catch {
    // The file system is read-only, as in most containers.
  }
  rmdirSync(group);
  return null;
}
