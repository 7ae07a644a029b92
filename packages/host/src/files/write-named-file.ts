import { chown, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from '../guards.js';
import { HostError } from '../host-error.js';

/** Codes with which the system refuses every text in this place. */
const REFUSED = /^E(?:ACCES|PERM|ROFS|NOSPC|DQUOT|FBIG|IO)$/;

/**
 * Writes a file that a person names, and creates its folder. Where the write fails, for example because the disk is full, an
 * existing file keeps its text, and a new file is removed.
 *
 * @param replace - whether a file of this name is replaced.
 * @throws HostError `FILE_FAILED` where the system refuses the file, and `INVALID_REQUEST` where the name cannot be that of a
 * file, or the file exists and is not replaced.
 */
export async function writeNamedFile(file: string, text: string, replace: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await (replace ? writeOver(file, text) : writeNew(file, text));
  } catch (error) {
    const code = errorCodeOf(error);
    const exists = code === 'EEXIST' && !replace;
    throw new HostError(
      REFUSED.test(code ?? '') ? 'FILE_FAILED' : 'INVALID_REQUEST',
      exists
        ? `${file} exists already. Add --force to replace it, or name another file.`
        : `${file} cannot be written (${code ?? 'unknown error'}). Name another place.`,
      { cause: error },
    );
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    // The flag `wx` fails if the file exists, so that no file is lost.
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function writeOver(file: string, text: string): Promise<void> {
  const old = await stat(file).catch(() => null);
  // Such as /dev/stdout, which cannot be replaced.
  if (old?.isFile() === false) return writeFile(file, text);
  // A link stays a link.
  const target = old === null ? file : await realpath(file);
  const draft = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { flag: 'wx', mode: old?.mode ?? 0o666 });
    // A file that root replaces stays with its owner.
    if (old !== null) await chown(draft, old.uid, old.gid).catch(() => undefined);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
