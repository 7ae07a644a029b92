import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Executor, RunResult } from '../ports/executor.js';
import { readPrivateMemory, readPrivateMemoryOn } from './read-private-memory.js';

const MIB = 1024 * 1024;

function answering(stdout: string, facts: Partial<RunResult> = {}): Executor & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    find: (name) => `/usr/bin/${name}`,
    run: (program, args) => {
      asked.push([program, ...args].join(' '));
      return Promise.resolve({ outcome: 'exited', exitCode: 0, stdout, stderr: '', ...facts });
    },
    stream: () => Promise.reject(new Error('This test starts no stream.')),
  };
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('Linux: memory that a process allocates is counted', async () => {
  // A child process allocates the memory, because the garbage collector could free other memory of this process
  // meanwhile.
  const script = `
    let taken;
    process.stdin.on('data', () => { taken = Buffer.alloc(${256 * MIB}, 1); console.log('taken'); });
    console.log('ready');`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const processId = child.pid ?? 0;
    await once(child.stdout, 'data');
    const before = (await readPrivateMemory([processId])) ?? 0;
    child.stdin.write('take');
    await once(child.stdout, 'data');
    const takenBytes = ((await readPrivateMemory([processId])) ?? 0) - before;
    expect(Math.abs(takenBytes - 256 * MIB)).toBeLessThan(16 * MIB);
  } finally {
    child.kill();
  }
});

onLinux('Linux: a process that has ended counts 0', async () => {
  expect(await readPrivateMemory([2 ** 30])).toBe(0);
});

test('without processes the answer is null', async () => {
  expect(await readPrivateMemory([])).toBeNull();
});

test('macOS: the footprints of the processes are added up', async () => {
  const executor = answering(
    [
      '======================================================================',
      'node [501]: 64-bit    Footprint: 46137344 B (16384 bytes per page)',
      '  Dirty      Clean  Reclaimable    Regions    Category',
      '======================================================================',
      'LM Studio Helper [502]: 64-bit    Footprint: 1000 B (16384 bytes per page)',
    ].join('\n'),
  );
  expect(
    await readPrivateMemoryOn({ platform: 'darwin', root: '', executor }, [501, 502], null),
  ).toBe(46_138_344);
  expect(executor.asked).toEqual(['/usr/bin/footprint -f bytes -p 501 -p 502']);
});

test('Windows: private bytes are read through PowerShell', async () => {
  const executor = answering('123456789\r\n');
  expect(await readPrivateMemoryOn({ platform: 'win32', root: '', executor }, [7, 8], null)).toBe(
    123_456_789,
  );
  expect(executor.asked[0]).toContain('Get-Process -Id 7,8 ');
});

test.each(['darwin', 'win32'] as const)(
  '%s: the answer is null if the program is missing, fails or prints something else',
  async (platform) => {
    const fails = answering('', { exitCode: 1 });
    const unknownFormat = answering('Permission denied');
    const missing = { ...answering(''), find: () => null };
    for (const executor of [fails, unknownFormat, missing]) {
      expect(await readPrivateMemoryOn({ platform, root: '', executor }, [1], null)).toBeNull();
    }
  },
);

test('an aborted call rejects with the reason of the signal', async () => {
  const reason = new Error('stop');
  await expect(readPrivateMemory([1], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
