import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A holder needs milliseconds; one that is this old died. */
const STALE_MS = 10_000;
const TRIES = 200;
const PAUSE_MS = 10;

/**
 * Runs `work` while no other process runs its own under the same lock file. A lock whose holder died is
 * taken over; where none can be had, the work runs all the same: writing is atomic, so that at worst the
 * other's last observation is lost.
 */
export async function withFileLock<T>(
  lock: string,
  work: () => T,
  wait: (ms: number) => Promise<void>,
): Promise<T> {
  mkdirSync(dirname(lock), { recursive: true });
  let held = false;
  for (let tries = 0; tries < TRIES && !held; tries += 1) {
    held = take(lock);
    if (!held) await wait(PAUSE_MS);
  }
  try {
    return work();
  } finally {
    if (held) release(lock);
  }
}

/** Runs `work` if the lock is free at this moment; null where it is not. */
export function ifLockFree<T>(lock: string, work: () => T): T | null {
  if (!take(lock)) return null;
  try {
    return work();
  } finally {
    release(lock);
  }
}

function release(lock: string): void {
  rmSync(lock, { force: true });
}

/** @throws what the file system says where no lock can be made at all: waiting would not help. */
function take(lock: string): boolean {
  let fd: number;
  try {
    fd = openSync(lock, 'wx');
  } catch (error) {
    if (!isThere((error as NodeJS.ErrnoException).code)) throw error;
    if (isStale(lock)) rmSync(lock, { force: true });
    return false;
  }
  // Empty: that it is there says all, and a full disk takes it all the same.
  closeSync(fd);
  return true;
}

/** On Windows a file that is just being deleted is not there, and can't be made either. */
function isThere(code: string | undefined): boolean {
  return code === 'EEXIST' || (process.platform === 'win32' && code === 'EPERM');
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}
