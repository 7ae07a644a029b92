import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';

/**
 * Writes a file that the command line names, and creates its folder.
 *
 * @param replace - whether a file of this name is replaced.
 * @throws UsageError where the file can't be written, or exists and is not replaced.
 */
export async function writeNamedFile(file: string, text: string, replace: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    // The flag `wx` fails if the file exists, so that no file is lost.
    await writeFile(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    const code = codeOf(error);
    throw new UsageError(
      code === 'EEXIST' && !replace
        ? `${file} exists already. Add --force to replace it, or name another file.`
        : `${file} can't be written (${code ?? 'unknown error'}). Name another place.`,
      { cause: error },
    );
  }
}
