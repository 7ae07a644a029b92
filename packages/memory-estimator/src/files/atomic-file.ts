import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from './system-error.js';

/** Attempts to rename a file that another process has open (Windows). */
const RENAME_TRIES = 5;

/** Whether data was saved. */
export interface SaveOutcome {
  /** `false` also if there was no new data to save. */
  readonly saved: boolean;
  /** Why saving failed; `null` where it did not fail. */
  readonly error: Error | null;
}

/** Writes a file so that a reader sees either the old or the new content, and never a part of it. */
export function writeFileAtomically(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // Unique for each write of each process, without loading Node's crypto, which takes longer than the write.
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    for (let tries = 1; ; tries += 1) {
      try {
        renameSync(temporary, path);
        return;
      } catch (error) {
        const code = systemErrorCode(error);
        const isBusy = code === 'EPERM' || code === 'EACCES' || code === 'EBUSY';
        if (!isBusy || tries === RENAME_TRIES) throw error;
      }
    }
  } catch (error) {
    removeDraft(temporary);
    throw error;
  }
}

/** The error of the write is the one to report, so one of the removal is dropped. */
function removeDraft(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The draft stays.
  }
}
