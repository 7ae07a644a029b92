/** Memory that a child process has taken. Disposing of the object ends the process. */
export interface TakenMemory extends AsyncDisposable {
  /** Resolves when the process has written to all of its memory. @throws Error where it ended before that */
  readonly taken: Promise<void>;
}

/** Takes memory in pieces of 32 MiB, writes to each page, and ends with its parent. */
const PROGRAM = `
const pieces = [];
let left = Number(process.argv[1]);
process.stdin.on('end', () => process.exit()).resume();
const take = () => {
  if (left <= 0) return void process.stdout.write('taken');
  const bytes = Math.min(left, 2 ** 25);
  pieces.push(Buffer.alloc(bytes, 1));
  left -= bytes;
  setTimeout(take, 25);
};
take();
`;

/** Starts a process that takes this many bytes of real memory. */
export async function takeMemory(bytes: number): Promise<TakenMemory> {
  // Loaded on first use, because loading takes 2 ms.
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['-e', PROGRAM, String(bytes)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const taken = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('close', () =>
      reject(new Error('The process that takes memory ended before it had taken all of it.')),
    );
  });
  // The caller may end the process without waiting for the memory.
  taken.catch(() => undefined);
  return {
    taken,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
