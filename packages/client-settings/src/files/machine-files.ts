import {
  chmod,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { ClientSettingsError } from '../client-settings-error.js';
import { joinPath, type Machine } from '../clients/client.js';

/** The text of a file. Null: it does not exist. */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw unusable(file, 'read', error);
  }
}

/** Whether a file or folder exists. The last name of the path may end with `*`. */
export async function exists(file: string): Promise<boolean> {
  if (file.endsWith('*')) {
    const start = path.basename(file).slice(0, -1);
    const names = await readdir(path.dirname(file)).catch(() => []);
    return names.some((name) => name.startsWith(start));
  }
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Whether a program is on the PATH. */
export async function isOnPath(machine: Machine, program: string): Promise<boolean> {
  const windows = machine.platform === 'win32';
  const folders = (machine.env['PATH'] ?? machine.env['Path'] ?? '').split(windows ? ';' : ':');
  const endings = windows ? ['.exe', '.cmd', '.ps1'] : [''];
  const files = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => endings.map((ending) => joinPath(machine, folder, program + ending)));
  return (await Promise.all(files.map(exists))).includes(true);
}

/**
 * Writes a file at once: a reader sees the old or the new text. Keeps the permissions, and follows a symbolic link, so
 * that a link into a folder of dotfiles stays a link. A new file may hold an API key and is readable by its owner only.
 */
export async function replaceText(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const target = await realpath(file).catch(() => file);
    const mode = await stat(target).then(
      (found) => found.mode & 0o777,
      () => 0o600,
    );
    const draft = `${target}.${process.pid}.tmp`;
    await writeFile(draft, text, { mode });
    // The umask may have removed permissions.
    await chmod(draft, mode);
    await rename(draft, target);
  } catch (error) {
    throw unusable(file, 'written', error);
  }
}

/** Writes a new file that only its owner can read. Fails if the file exists. */
export async function createText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw unusable(file, 'written', error);
  }
}

/** Removes a file, if it exists. */
export async function removeFile(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw unusable(file, 'removed', error);
  }
}

function unusable(file: string, action: string, error: unknown): ClientSettingsError {
  const code = codeOf(error) ?? 'unknown error';
  const advice =
    code === 'EEXIST' ? 'Move it away, then run the command again.' : 'Check its permissions.';
  return new ClientSettingsError(
    'FILE_UNUSABLE',
    `${file} can't be ${action} (${code}). ${advice}`,
    {
      cause: error,
    },
  );
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
