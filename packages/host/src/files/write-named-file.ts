import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from '../guards.js';
import { HostError } from '../host-error.js';

/**
 * Writes a file that a person names, and creates its folder.
 *
 * @param replace - whether a file of this name is replaced.
 * @throws HostError `INVALID_REQUEST` where the file can't be written, or exists and is not replaced.
 */
export async function writeNamedFile(file: string, text: string, replace: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    // The flag `wx` fails if the file exists, so that no file is lost.
    await writeFile(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    const code = errorCodeOf(error);
    throw new HostError(
      'INVALID_REQUEST',
      code === 'EEXIST' && !replace
        ? `${file} exists already. Add --force to replace it, or name another file.`
        : `${file} can't be written (${code ?? 'unknown error'}). Name another place.`,
      { cause: error },
    );
  }
}
