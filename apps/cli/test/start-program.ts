import { spawn } from 'node:child_process';
import { copyFile, symlink } from 'node:fs/promises';
import path from 'node:path';

/** A program with a chosen name that runs until a test ends it. */
export interface TestProgram {
  readonly processId: number;
  readonly end: () => Promise<void>;
}

/** Starts a process that task managers list as `name`. */
export async function startProgram(folder: string, name: string): Promise<TestProgram> {
  const file = path.join(folder, process.platform === 'win32' ? `${name}.exe` : name);
  // Windows lets only administrators create symbolic links.
  await (process.platform === 'win32' ? copyFile : symlink)(process.execPath, file);
  const child = spawn(file, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    processId: child.pid ?? 0,
    end: async () => {
      child.kill();
      await ended;
    },
  };
}
