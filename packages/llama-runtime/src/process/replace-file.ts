import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';

/**
 * Replaces a file that only this user can read. A reader sees the old text or the new one, never a part. The draft beside the file
 * is removed where the write fails, for example because the disk is full. A killed process may leave a draft, `NAME.UUID.tmp`.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    // The first error is the one to report, so one of the removal is dropped.
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}
