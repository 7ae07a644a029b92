import path from 'node:path';
import { isExecutable } from './file-tree.js';

/** Looks a program up as the OS would, without running anything. */
export function findProgram(
  name: string,
  places: readonly string[],
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const windows = platform === 'win32';
  const paths = windows ? path.win32 : path.posix;
  // Windows spells it Path; a copied environment is no longer blind to case.
  const key = windows ? Object.keys(env).find((name) => name.toUpperCase() === 'PATH') : 'PATH';
  const folders = (env[key ?? 'PATH'] ?? '')
    .split(paths.delimiter)
    .filter((folder) => paths.isAbsolute(folder));
  const file = windows ? `${name}.exe` : name;
  return (
    [...folders, ...places].map((folder) => paths.join(folder, file)).find(isExecutable) ?? null
  );
}
