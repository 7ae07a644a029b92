import path from 'node:path';
import { isExecutable } from './file-tree.js';

/** Searches for a program on the PATH, then in the folders `places`. Runs nothing. */
export function findProgram(
  name: string,
  places: readonly string[],
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const windows = platform === 'win32';
  const paths = windows ? path.win32 : path.posix;
  // Windows spells the variable `Path`, and a copy of process.env distinguishes upper and lower case.
  const key = windows ? Object.keys(env).find((name) => name.toUpperCase() === 'PATH') : 'PATH';
  const folders = (env[key ?? 'PATH'] ?? '')
    .split(paths.delimiter)
    .filter((folder) => paths.isAbsolute(folder));
  const file = windows ? `${name}.exe` : name;
  return (
    [...folders, ...places].map((folder) => paths.join(folder, file)).find(isExecutable) ?? null
  );
}
