import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { isProcessAlive } from './is-process-alive.js';

test('a process lives until it has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  const processId = child.pid ?? 0;
  expect(isProcessAlive(processId)).toBe(true);
  child.stdin.end();
  await once(child, 'exit');
  expect(isProcessAlive(processId)).toBe(false);
});

test('a process from before a restart of the machine is not alive, though its id is in use again', () => {
  const startedAtMs = Date.now() - os.uptime() * 1000;
  expect(isProcessAlive(process.pid, startedAtMs + 5000)).toBe(true);
  expect(isProcessAlive(process.pid, startedAtMs - 5000)).toBe(false);
});

(process.platform === 'linux' ? test : test.skip)(
  'an ended process is not alive, though its parent has not waited for it',
  async () => {
    // `exec` replaces the shell by `sleep`, which never waits for its child.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60']);
    try {
      const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
      const processId = Number(chunk.toString());
      expect(() => process.kill(processId, 0)).not.toThrow();
      while (isProcessAlive(processId)) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(() => process.kill(processId, 0)).not.toThrow();
    } finally {
      parent.kill();
    }
  },
);
