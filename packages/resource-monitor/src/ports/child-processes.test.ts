import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { childProcesses } from './child-processes.js';
import { systemClock } from './clock.js';

const children = childProcesses(systemClock, process.platform, process.env);

(process.platform === 'linux' ? describe : describe.skip)('a child process', () => {
  let folder: string;
  let program: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mai children '));
    program = path.join(folder, 'nvidia-smi');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is killed together with the programs that it has started', async () => {
    await writeFile(
      program,
      '#!/bin/sh\necho up\nsh -c \'trap "" TERM; echo $$; exec sleep 60 >&- 2>&-\'\n',
    );
    const { outcome, stdout } = await children.run(program, [], {
      timeoutMs: 500,
      signal: null,
      startsOthers: true,
    });
    expect(outcome).toBe('timed-out');
    const processId = Number(/\d+/.exec(stdout)?.[0]);
    const lives = (): boolean => {
      try {
        return process.kill(processId, 0);
      } catch {
        return false;
      }
    };
    while (lives()) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  // The OS refuses to start the program (ETXTBSY), and Node throws this error instead of emitting it.
  it('is not started while its file is being written, and the reason is reported', async () => {
    await using _ = await open(program, 'r+');
    expect(await children.run(program, [], { timeoutMs: 5000, signal: null })).toMatchObject({
      outcome: 'not-started',
      stderr: 'spawn ETXTBSY',
    });
    const listener = { onLine: () => undefined, onEnd: () => undefined };
    await expect(children.stream(program, [], listener)).rejects.toThrow('ETXTBSY');
  });
});
