import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { codeOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';
import { notWritable, readPrivateFile } from './private-file.js';

const DEADLINE_MS = 30_000;
const POLL_MS = 50;
/** From one attempt to remove a lock of this process to the next. */
const REMOVE_AGAIN_MS = 500;
/** Creating or removing a lock takes milliseconds. The process of an older guard, or of an older empty lock, was killed meanwhile. */
const STALE_MS = 10_000;

/**
 * Runs a task while no other process of this machine changes the registry of the fleet in `folder`. The lock of a killed process
 * is removed.
 *
 * Throws `FILE_UNUSABLE` where the lock cannot be written, and where another process holds it for 30 s.
 */
export async function withRegistryLock<T>(folder: string, task: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'hosts.lock');
  const own = `${hostname()} ${process.pid} ${randomUUID()}`;
  held.add(own);
  try {
    await lockFor(lock, own);
  } catch (error) {
    held.delete(own);
    throw error;
  }
  try {
    return await task();
  } finally {
    await release(lock, own);
  }
}

async function lockFor(lock: string, own: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await create(lock, own))) {
    await removeDead(lock);
    if (Date.now() > deadline) {
      throw new FleetError(
        'FILE_UNUSABLE',
        `Another process has been changing the hosts of this fleet for more than ${DEADLINE_MS / 1000} s. If no such process runs, delete ${lock}.`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** Locks that this process waits for, holds, or has not been able to remove yet. */
const held = new Set<string>();

/** Removes the lock if it is `own`. The task has ended, so a failure is not reported, and the removal is tried again until it succeeds. */
async function release(lock: string, own: string): Promise<void> {
  try {
    if ((await readPrivateFile(lock)) === own) await rm(lock, { force: true });
    held.delete(own);
  } catch {
    // The lock of a process that has ended holds up nobody.
    setTimeout(() => void release(lock, own), REMOVE_AGAIN_MS).unref();
  }
}

/** Returns false where the file exists. */
async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } catch (error) {
      // On a full disk, the lock exists and is empty. The first error is the one to report, so one of the removal is dropped.
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // On Windows, creating a file that is being removed fails with EPERM.
    if (codeOf(error) === 'EPERM' && process.platform === 'win32') return false;
    throw notWritable(path, error);
  }
}

/**
 * Removes the lock of a killed process. Only the process that has created the guard removes locks, so the lock cannot become that
 * of a living process between the check and the removal.
 */
async function removeDead(lock: string): Promise<void> {
  if (!(await isDead(lock))) return;
  const guard = `${lock}.removing`;
  if (!(await create(guard, ''))) {
    if (await isOlderThan(guard, STALE_MS)) await rm(guard, { force: true });
    return;
  }
  try {
    if (await isDead(lock)) await rm(lock, { force: true });
  } finally {
    // An error of the removal would hide the first one. A guard that stays is removed when it is stale.
    await rm(guard, { force: true }).catch(() => undefined);
  }
}

/**
 * Whether the lock is that of a process that has ended: of one of this machine, or of one that was killed before it wrote its id.
 * In a container, each start of Mai may have the number of the process that was killed before.
 */
async function isDead(lock: string): Promise<boolean> {
  const text = await readPrivateFile(lock);
  if (text === null) return false;
  if (text === '') return await isOlderThan(lock, STALE_MS);
  const [name, pid] = text.split(' ');
  if (name !== hostname() || pid === undefined) return false;
  return Number(pid) === process.pid ? !held.has(text) : !isAlive(Number(pid));
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(path)).mtimeMs) > ageMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
