import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Times that a rename is tried again where another process has the file open (Windows). */
const RENAME_TRIES = 5;

/** Writes a file so that a reader sees the old content or the new one, never a part. */
export function writeFileAtomically(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    for (let tries = 1; ; tries += 1) {
      try {
        renameSync(temporary, path);
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isBusy = code === 'EPERM' || code === 'EACCES' || code === 'EBUSY';
        if (!isBusy || tries === RENAME_TRIES) throw error;
      }
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
