import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { Readable, Writable } from 'node:stream';
import { isProcessAlive } from './is-process-alive.js';

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('a process lives until it has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  const processId = child.pid ?? 0;
  expect(isProcessAlive(processId)).toBe(true);
  child.stdin.end();
  await once(child, 'exit');
  expect(isProcessAlive(processId)).toBe(false);
});

test('a process from before a restart of the machine is not alive, even if its id is in use again', () => {
  const startedAtMs = Date.now() - os.uptime() * 1000;
  expect(isProcessAlive(process.pid, startedAtMs + 5000)).toBe(true);
  expect(isProcessAlive(process.pid, startedAtMs - 5000)).toBe(false);
});

(process.platform === 'linux' ? test : test.skip)(
  'an ended process is not alive, though its parent has not waited for it',
  async () => {
    // `exec` replaces the shell by `sleep`, which never waits for its child. The child reads until its input ends.
    const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 60 3<&-'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    const [, output, , input] = parent.stdio;
    try {
      if (!(output instanceof Readable) || !(input instanceof Writable))
        throw new Error('no pipes');
      const processId = Number(await new Promise((resolve) => output.once('data', resolve)));
      // The shell itself would wait for a child that has ended, so the child ends after `exec`.
      while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim() !== 'sleep') await pause();
      expect(isProcessAlive(processId)).toBe(true);
      input.end();
      while (isProcessAlive(processId)) await pause();
      expect(() => process.kill(processId, 0)).not.toThrow();
    } finally {
      parent.kill();
    }
  },
);
