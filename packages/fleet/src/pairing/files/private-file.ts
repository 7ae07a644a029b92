import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { codeOf, messageOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';

/** Makes a folder that only this user can enter (mode 0700), also where it existed with another mode. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    throw notWritable(folder, error);
  }
}

/**
 * Writes a file that only this user can read (mode 0600). A reader sees the old content or the new one, also after a
 * crash: the text goes to a new file beside it, to the disk, and then takes the name.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    // The first error is the one to report, so one of the removal is dropped.
    await rm(draft, { force: true }).catch(() => undefined);
    throw notWritable(path, error);
  }
}

/** The error for a file or a folder that cannot be written. */
export function notWritable(path: string, cause: unknown): FleetError {
  return new FleetError(
    'FILE_UNUSABLE',
    `${path} cannot be written: ${messageOf(cause)}. Check that its disk has space and that you may write there.`,
    { cause },
  );
}

/** Reads a file. Returns null where it does not exist. Throws `FILE_UNUSABLE` where it cannot be read. */
export async function readPrivateFile(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new FleetError(
      'FILE_UNUSABLE',
      `${path} cannot be read: ${messageOf(error)}. Check its permissions.`,
      { cause: error },
    );
  }
}
