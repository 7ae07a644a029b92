import { chmod, chown, mkdir, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf, isRecord } from '../guards.js';
import { HostError } from '../host-error.js';

/** Codes with which the system refuses every text in this place. */
const REFUSED = /^E(?:ACCES|PERM|ROFS|NOSPC|DQUOT|FBIG|IO)$/;
/** Codes of a folder that takes no draft, and of a file that is mounted on its own, such as one file of a container. */
const NOT_REPLACEABLE = /^E(?:ACCES|PERM|ROFS|BUSY)$/;

/**
 * Writes a file that a person names, and creates its folder. Where the write fails, for example because the disk is full, an
 * existing file keeps its text, and a new file is removed. Only a file that cannot be replaced by another one is written in place.
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
    // `mkdir` has this code, too, where the folder is a file.
    const exists = code === 'EEXIST' && isRecord(error) && error['syscall'] === 'open';
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
  // The flag `wx` fails if the file exists, so that no file is lost.
  const opened = await open(file, 'wx');
  try {
    await opened.writeFile(text);
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await opened.close();
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
    if (old !== null) {
      // Without the bits that the umask has taken from the draft, others could not read or write the file any more.
      await chmod(draft, old.mode);
      // A file that root replaces stays with its owner.
      await chown(draft, old.uid, old.gid).catch(() => undefined);
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    if (old === null || !NOT_REPLACEABLE.test(errorCodeOf(error) ?? '')) throw error;
    await writeFile(target, text);
  }
}
