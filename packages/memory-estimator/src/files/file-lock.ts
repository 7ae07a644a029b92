import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from './system-error.js';

/** A process holds the lock only for milliseconds, so an older lock belongs to a process that died. */
const STALE_MS = 10_000;
const TRIES = 200;
const PAUSE_MS = 10;

/**
 * Runs `work` while no other process runs work under the same lock file. The lock of a process that died is
 * taken over after ten seconds.
 *
 * If the lock stays taken for two seconds, `work` runs without it. `work` writes atomically, so at worst a
 * write of the other process is lost.
 *
 * @throws the error of the file system where the lock file cannot be created.
 */
export async function withFileLock<T>(lock: string, work: () => T): Promise<T> {
  mkdirSync(dirname(lock), { recursive: true });
  let held = false;
  for (let tries = 0; tries < TRIES && !held; tries += 1) {
    held = take(lock);
    if (!held) await sleep(PAUSE_MS);
  }
  try {
    return work();
  } finally {
    if (held) release(lock);
  }
}

/** Runs `work` if no process holds the lock now; returns `null` otherwise. */
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

function take(lock: string): boolean {
  let fd: number;
  try {
    fd = openSync(lock, 'wx');
  } catch (error) {
    if (!isTaken(systemErrorCode(error))) throw error;
    if (isStale(lock)) rmSync(lock, { force: true });
    return false;
  }
  // The lock file stays empty, so that it can be created on a full disk.
  closeSync(fd);
  return true;
}

/** On Windows, creating a file that is being deleted fails with EPERM. */
function isTaken(code: string | undefined): boolean {
  return code === 'EEXIST' || (process.platform === 'win32' && code === 'EPERM');
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}
