import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { childProcesses } from './child-processes.js';
import { systemClock } from './clock.js';

const children = childProcesses(systemClock, process.platform, process.env);

(process.platform === 'linux' ? describe : describe.skip)('a program that is being written', () => {
  let folder: string;
  let program: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mai children '));
    program = path.join(folder, 'nvidia-smi');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
  });
  afterEach(() => rm(folder, { recursive: true }));

  // The system refuses to start it, and Node throws that instead of telling the child's listeners.
  it('is not started, and says why', async () => {
    await using _ = await open(program, 'r+');
    expect(await children.run(program, [], { timeoutMs: 5000, signal: null })).toMatchObject({
      outcome: 'not-started',
      stderr: 'spawn ETXTBSY',
    });
    const listener = { onLine: () => undefined, onEnd: () => undefined };
    await expect(children.stream(program, [], listener)).rejects.toThrow('ETXTBSY');
  });
});
