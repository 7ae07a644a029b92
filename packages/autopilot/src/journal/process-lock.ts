import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AutopilotError, errorCode } from '../autopilot-error.js';
import { isProcessAlive } from './is-process-alive.js';

/** Who holds a lock. */
export interface LockOwner {
  /** Unlike any other holder's, so that a stolen lock is noticed. */
  readonly token: string;
  readonly processId: number;
  readonly hostname: string;
  readonly sinceMs: number;
  /** When the holder last said that it lives, in epoch milliseconds. */
  readonly aliveAtMs: number;
}

/** What decides whether a holder still lives. */
export interface LockLiveness {
  readonly hostname: string;
  readonly isProcessAlive: (processId: number) => boolean;
  /** A holder that was silent for so long is gone even if its process id is in use (again). */
  readonly staleAfterMs: number;
}

/** This machine's own view. */
export function hostLiveness(staleAfterMs: number): LockLiveness {
  return { hostname: os.hostname(), isProcessAlive, staleAfterMs };
}

/** A new owner's record for this process. */
export function newOwner(nowMs: number): LockOwner {
  return {
    token: crypto.randomUUID(),
    processId: process.pid,
    hostname: os.hostname(),
    sinceMs: nowMs,
    aliveAtMs: nowMs,
  };
}

/**
 * Creates the lock file for `owner`, taking over one whose holder is gone. Resolves to null when it is
 * held now, or to the holder that is alive.
 */
export async function tryLock(
  file: string,
  owner: LockOwner,
  nowMs: number,
  liveness: LockLiveness,
): Promise<LockOwner | null> {
  await mkdir(path.dirname(file), { recursive: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (await create(file, owner)) return null;
    const holder = await readOwner(file);
    if (holder !== null && isAlive(holder, nowMs, liveness)) return holder;
    await discard(file, holder);
  }
  throw new AutopilotError(
    'JOURNAL_UNUSABLE',
    `${file} changes hands faster than it can be read. Is another program writing it?`,
    { path: file },
  );
}

/** Says that the holder lives; false when the lock has been lost to another. */
export async function refreshLock(file: string, owner: LockOwner, nowMs: number): Promise<boolean> {
  const holder = await readOwner(file);
  if (holder?.token !== owner.token) return false;
  const temporary = `${file}.${owner.token}.tmp`;
  await rm(temporary, { force: true });
  await writeExclusively(temporary, { ...owner, aliveAtMs: nowMs });
  await rename(temporary, file);
  return true;
}

/** Gives the lock up; does nothing when it has been lost to another. */
export async function unlock(file: string, owner: LockOwner): Promise<void> {
  const holder = await readOwner(file);
  if (holder?.token === owner.token) await rm(file, { force: true });
}

/** The holder that the file names; null when there is none, or what is there is unreadable. */
export async function readOwner(file: string): Promise<LockOwner | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<LockOwner>;
    return typeof value.token === 'string' &&
      typeof value.processId === 'number' &&
      typeof value.hostname === 'string' &&
      typeof value.sinceMs === 'number' &&
      typeof value.aliveAtMs === 'number'
      ? (value as LockOwner)
      : null;
  } catch {
    return null;
  }
}

/** Whether the holder of a lock still lives. */
export function isAlive(holder: LockOwner, nowMs: number, liveness: LockLiveness): boolean {
  // Another container or machine: its process ids mean nothing here.
  if (holder.hostname === liveness.hostname && !liveness.isProcessAlive(holder.processId)) {
    return false;
  }
  return Math.abs(nowMs - holder.aliveAtMs) < liveness.staleAfterMs;
}

const NO_HARD_LINKS: readonly (string | null)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** The file appears complete or not at all: a link fails where a file is, on every platform. */
async function create(file: string, owner: LockOwner): Promise<boolean> {
  const temporary = `${file}.${owner.token}.tmp`;
  await writeExclusively(temporary, owner);
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.includes(errorCode(error))) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  // exFAT and some network shares: for an instant the file is there and empty.
  try {
    await writeExclusively(file, owner);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function writeExclusively(file: string, owner: LockOwner): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(owner));
  } finally {
    await handle.close();
  }
}

/**
 * Moves a dead holder's file aside before deleting it: of two that found it dead only one can move
 * it, and one that finds it has moved a living one's puts it back.
 */
async function discard(file: string, dead: LockOwner | null): Promise<void> {
  const aside = `${file}.${crypto.randomUUID()}.dead`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readOwner(aside);
  if (moved !== null && moved.token !== dead?.token) {
    await link(aside, file).catch(() => undefined);
  }
  await rm(aside, { force: true });
}
