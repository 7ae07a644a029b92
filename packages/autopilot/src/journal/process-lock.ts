import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutopilotError, errorCode } from '../autopilot-error.js';
import { isRecord } from '../is-record.js';
import { isProcessAlive } from './is-process-alive.js';

/** The process that holds a lock. */
export interface LockOwner {
  /** Unique, so that a holder notices when another process has taken the lock over. */
  readonly token: string;
  readonly processId: number;
  readonly hostname: string;
  readonly sinceMs: number;
  /** The holder's last heartbeat, in epoch milliseconds. */
  readonly aliveAtMs: number;
}

/** The facts that decide whether a holder still lives. */
export interface LockLiveness {
  readonly hostname: string;
  readonly isProcessAlive: (processId: number) => boolean;
  /** After this time without a heartbeat the holder is gone, even if a new process has its id. */
  readonly staleAfterMs: number;
}

/** The liveness of processes on this machine. */
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

/** The error of a file in the journal's folder that cannot be read or written. */
export function journalUnusable(file: string, cause: unknown): AutopilotError {
  if (cause instanceof AutopilotError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AutopilotError(
    'JOURNAL_UNUSABLE',
    `The journal ${file} cannot be used: ${reason}. Check that the disk has space and that the folder can be written.`,
    { path: file, cause },
  );
}

/**
 * Creates the lock file for `owner`, or takes it over when its holder is gone. Resolves to null when `owner`
 * now holds the lock, and otherwise to the living holder.
 *
 * @throws AutopilotError `JOURNAL_UNUSABLE` where the file cannot be read or written
 */
export async function tryLock(
  file: string,
  owner: LockOwner,
  nowMs: number,
  liveness: LockLiveness,
): Promise<LockOwner | null> {
  try {
    return await lock(file, owner, nowMs, liveness);
  } catch (error) {
    throw journalUnusable(file, error);
  }
}

async function lock(
  file: string,
  owner: LockOwner,
  nowMs: number,
  liveness: LockLiveness,
): Promise<LockOwner | null> {
  await mkdir(path.dirname(file), { recursive: true });
  let takeOvers = 0;
  while (takeOvers < 3) {
    if (await create(file, owner)) return null;
    const text = await readText(file);
    // The holder has released the lock meanwhile. The file may already be the next holder's, so it is not discarded.
    if (text === null) continue;
    const holder = parseOwner(text);
    if (holder !== null && isAlive(holder, nowMs, liveness)) return holder;
    if (await discard(file, holder)) takeOvers += 1;
    else await delay(GUARD_RETRY_MS);
  }
  throw new AutopilotError(
    'JOURNAL_UNUSABLE',
    `${file} changed its holder three times in a row. End the programs that write this file, and try again.`,
    { path: file },
  );
}

/**
 * Writes a heartbeat. Creates the file again where it was removed, because then no process has the lock. Resolves to
 * false when another process has taken the lock over.
 */
export async function refreshLock(file: string, owner: LockOwner, nowMs: number): Promise<boolean> {
  const alive = { ...owner, aliveAtMs: nowMs };
  const text = await readText(file);
  if (text === null) return create(file, alive);
  if (parseOwner(text)?.token !== owner.token) return false;
  const temporary = `${file}.${owner.token}.tmp`;
  try {
    await writeExclusively(temporary, alive);
    await rename(temporary, file);
  } finally {
    // Left over where the disk is full. An error of the removal would hide the first one.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
  return true;
}

/** Releases the lock. Does nothing when another process has taken it over. */
export async function unlock(file: string, owner: LockOwner): Promise<void> {
  const holder = await readOwner(file);
  if (holder?.token === owner.token) await rm(file, { force: true });
}

/** The holder that the file names; null when there is no file or it cannot be parsed. */
export async function readOwner(file: string): Promise<LockOwner | null> {
  const text = await readText(file);
  return text === null ? null : parseOwner(text);
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function parseOwner(text: string): LockOwner | null {
  try {
    const value: unknown = JSON.parse(text);
    return isOwner(value) ? value : null;
  } catch {
    return null;
  }
}

function isOwner(value: unknown): value is LockOwner {
  return (
    isRecord(value) &&
    typeof value['token'] === 'string' &&
    typeof value['processId'] === 'number' &&
    typeof value['hostname'] === 'string' &&
    typeof value['sinceMs'] === 'number' &&
    typeof value['aliveAtMs'] === 'number'
  );
}

/** Whether the holder of a lock still lives. */
export function isAlive(holder: LockOwner, nowMs: number, liveness: LockLiveness): boolean {
  if (hasEnded(holder, liveness)) return false;
  return Math.abs(nowMs - holder.aliveAtMs) < liveness.staleAfterMs;
}

/** Whether the process of a holder is known to have ended. Process ids of another container or machine cannot be checked here. */
export function hasEnded(holder: LockOwner, liveness: LockLiveness): boolean {
  return holder.hostname === liveness.hostname && !liveness.isProcessAlive(holder.processId);
}

const NO_HARD_LINKS: readonly (string | null)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Creates the file with its whole content by a hard link. On every platform, this fails when the file exists.
 */
async function create(file: string, owner: LockOwner): Promise<boolean> {
  const temporary = `${file}.${owner.token}.tmp`;
  try {
    await writeExclusively(temporary, owner);
    await link(temporary, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.includes(errorCode(error))) throw error;
  } finally {
    // An error of the removal would hide the first one, or the lock that has been taken.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
  // exFAT and some network shares have no hard links. The file is then empty for an instant.
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
 * Removes the file of a dead holder. Only the process that has created the guard removes files, so the file cannot become
 * the file of a living holder between the check and the removal.
 *
 * Resolves to false while another process has the guard.
 */
async function discard(file: string, dead: LockOwner | null): Promise<boolean> {
  const guard = `${file}.removing`;
  if (!(await createGuard(guard))) return false;
  try {
    const text = await readText(file);
    const now = text === null ? null : parseOwner(text);
    if (text !== null && now?.token === dead?.token) await rm(file, { force: true });
    return true;
  } finally {
    // An error of the removal would hide the first one. A guard that stays is removed when it is stale.
    await rm(guard, { force: true }).catch(() => undefined);
  }
}

/** Removing a file takes milliseconds. The process of an older guard has died. */
const GUARD_STALE_MS = 10_000;
const GUARD_RETRY_MS = 10;

async function createGuard(guard: string): Promise<boolean> {
  try {
    await (await open(guard, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (!isTaken(errorCode(error))) throw error;
  }
  if (await isStale(guard)) await rm(guard, { force: true });
  return false;
}

async function isStale(guard: string): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(guard)).mtimeMs) > GUARD_STALE_MS;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** On Windows, creating a file that is being removed fails with EPERM. */
function isTaken(code: string | null): boolean {
  return code === 'EEXIST' || (process.platform === 'win32' && code === 'EPERM');
}
