import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Replaces a file that only this user can read, and creates its folder. A reader sees the old text or the new one, never a part. The
 * draft beside the file is removed where the write fails, for example because the disk is full. `sweepDrafts` removes the
 * draft of a killed process.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    // The first error is the one to report, so one of the removal is dropped.
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}
