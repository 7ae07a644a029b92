import path from 'node:path';
import { AutopilotError } from '../autopilot-error.js';
import type { Clock } from '../ports/clock.js';
import {
  hasEnded,
  hostLiveness,
  isAlive,
  journalUnusable,
  newOwner,
  readOwner,
  refreshLock,
  tryLock,
  unlock,
} from './process-lock.js';
import type { LockOwner } from './process-lock.js';

const HEARTBEAT_MS = 5000;
/** In this time a living holder has written a heartbeat, also one that has just been woken. */
const HEARTBEAT_DEADLINE_MS = 2 * HEARTBEAT_MS;
/** Twelve heartbeats, so that a process keeps its lock while the machine sleeps or swaps for a while. */
const STALE_AFTER_MS = 60_000;

/** The claim of one running autopilot on one LM Studio. */
export interface RunningLock {
  /** Fires with an `ALREADY_RUNNING` error when another process has taken the lock over. */
  readonly lost: AbortSignal;
  /** Releases the lock. May be called more than once. */
  release(): Promise<void>;
}

/**
 * Claims the LM Studio at `address` for this process: one autopilot per address and data folder.
 *
 * A holder whose last heartbeat is old may live: the machine may have slept, or its clock may have jumped. Unless its process is known to
 * have ended, it gets ten seconds to write the next one.
 *
 * @param name - what the autopilot runs for, in messages. Default: the address
 * @param signal - ends the wait
 * @throws the signal's reason; AutopilotError `ALREADY_RUNNING` with the process that holds the lock, or `JOURNAL_UNUSABLE` where the lock's
 *   file cannot be written.
 */
export async function acquireRunningLock(
  folder: string,
  address: string,
  clock: Clock,
  name: string = address,
  signal: AbortSignal | null = null,
): Promise<RunningLock> {
  const file = lockFile(folder, address);
  const owner = newOwner(clock.nowMs());
  const holder =
    (await findAwake(file, clock, signal)) ??
    (await tryLock(file, owner, clock.nowMs(), hostLiveness(STALE_AFTER_MS)));
  if (holder !== null) throw alreadyRunning(file, name, holder);
  const lost = new AbortController();
  const stop = new AbortController();
  const heartbeats = writeHeartbeats(file, name, owner, clock, lost, stop.signal);
  return {
    lost: lost.signal,
    release: async () => {
      stop.abort();
      await heartbeats;
      await unlock(file, owner);
    },
  };
}

/** Waits for the next heartbeat of a holder whose last one is old. Null where it writes none, and where there is nothing to wait for. */
async function findAwake(
  file: string,
  clock: Clock,
  signal: AbortSignal | null,
): Promise<LockOwner | null> {
  const read = (): Promise<LockOwner | null> =>
    readOwner(file).catch((error: unknown) => {
      throw journalUnusable(file, error);
    });
  const before = await read();
  const liveness = hostLiveness(STALE_AFTER_MS);
  if (before === null || hasEnded(before, liveness)) return null;
  if (isAlive(before, clock.nowMs(), liveness)) return null;
  await clock.sleep(HEARTBEAT_DEADLINE_MS, { signal });
  const after = await read();
  const wrote = after?.token === before.token && after.aliveAtMs !== before.aliveAtMs;
  return wrote ? after : null;
}

/** The process that runs an autopilot for this address; null when no process does. */
export async function findRunning(
  folder: string,
  address: string,
  clock: Clock,
): Promise<{ readonly processId: number; readonly sinceMs: number } | null> {
  const holder = await readOwner(lockFile(folder, address));
  if (holder === null || !isAlive(holder, clock.nowMs(), hostLiveness(STALE_AFTER_MS))) return null;
  return { processId: holder.processId, sinceMs: holder.sinceMs };
}

async function writeHeartbeats(
  file: string,
  name: string,
  owner: LockOwner,
  clock: Clock,
  lost: AbortController,
  stop: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(HEARTBEAT_MS, { signal: stop });
    } catch {
      return;
    }
    try {
      if (await refreshLock(file, owner, clock.nowMs())) continue;
      const holder = await readOwner(file);
      lost.abort(alreadyRunning(file, name, holder));
      return;
    } catch {
      // The disk may be full, or the folder missing for a moment. The lock lasts for twelve missed heartbeats.
    }
  }
}

function alreadyRunning(file: string, name: string, holder: LockOwner | null): AutopilotError {
  const who =
    holder === null ? 'another process' : `process ${holder.processId} on ${holder.hostname}`;
  return new AutopilotError(
    'ALREADY_RUNNING',
    `An autopilot for ${name} is already running: ${who}. Stop that process, or use its autopilot.`,
    {
      path: file,
      processId: holder?.processId ?? null,
      runningSinceMs: holder?.sinceMs ?? null,
    },
  );
}

/** The address is encoded, because file names cannot hold all of its characters. */
function lockFile(folder: string, address: string): string {
  return path.join(folder, `running-${encodeURIComponent(address)}.lock`);
}
