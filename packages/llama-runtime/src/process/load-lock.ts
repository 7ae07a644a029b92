import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, findProcess } from './system/process-identity.js';

/** The process that loads a model. */
interface Holder {
  readonly pid: number;
  /** As `RunningProcess.startTime`. */
  readonly startTime: string | null;
  /** Names this load. No other load gets this name. */
  readonly token: string;
}

const POLL_MS = 50;
/** From one attempt to remove the lock of an ended load to the next. */
const REMOVE_AGAIN_MS = 500;
/** Maximum age of a lock whose process has no known start time: another process may have its number by now. */
const UNKNOWN_MAX_AGE_MS = 20 * 60_000;

/**
 * Waits until no other process of this user loads a model, and locks the loads. Two loads at once could give one identifier
 * twice, and could need more memory than is free. The lock of a process that has ended is removed.
 *
 * @param folder - the state folder, which is created
 * @returns a function that unlocks, and that does not fail
 * @throws the signal's reason; the system's error where the folder cannot be written
 */
export async function lockLoads(folder: string, signal: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, 'loading.lock');
  const startTime = (await findProcess(process.pid))?.startTime ?? null;
  const own: Holder = { pid: process.pid, startTime, token: randomUUID() };
  for (;;) {
    signal.throwIfAborted();
    if (await create(file, own)) break;
    const holder = await readHolder(file);
    if (holder === null) continue;
    if (!(await lives(file, holder)) && (await discard(file, holder))) continue;
    await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return async () => {
    try {
      if ((await readHolder(file))?.token === own.token) await rm(file, { force: true });
    } catch {
      // The load has its result already.
      released.add(own.token);
      removeLater(file, own);
    }
  };
}

/** Loads of this process that have ended, and whose locks could not be removed. */
const released = new Set<string>();

/** Other processes wait for a lock that could not be removed, so its removal is tried again until it succeeds. */
function removeLater(file: string, own: Holder): void {
  const timer = setTimeout(() => {
    // A further load of this process may remove the lock meanwhile, so only the process with the guard removes it.
    discard(file, own)
      .then((isSettled) => {
        if (isSettled) released.delete(own.token);
        else removeLater(file, own);
      })
      .catch(() => removeLater(file, own));
  }, REMOVE_AGAIN_MS);
  // The lock of a process that has ended holds up nobody.
  timer.unref();
}

/** exFAT and some network shares have no hard links. There, the lock is empty for an instant. */
const NO_HARD_LINKS: ReadonlySet<string | null> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** Creates the lock with its content at once, by a hard link. Returns `false` where the lock exists. */
async function create(file: string, own: Holder): Promise<boolean> {
  const draft = `${file}.${own.token}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(codeOf(error))) throw error;
  } finally {
    // The lock may exist already, so a draft that stays is no failure.
    await rm(draft, { force: true }).catch(() => undefined);
  }
  try {
    await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The holder of a lock that cannot be read. It lives until the lock has its maximum age. */
const UNREADABLE: Holder = { pid: process.pid, startTime: null, token: '' };

/** `null`: the lock has just been removed. */
async function readHolder(file: string): Promise<Holder | null> {
  try {
    const holder: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isHolder(holder) ? holder : UNREADABLE;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    if (error instanceof SyntaxError) return UNREADABLE;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'startTime' in value &&
    (value.startTime === null || typeof value.startTime === 'string') &&
    'token' in value &&
    typeof value.token === 'string'
  );
}

async function lives(file: string, { pid, startTime, token }: Holder): Promise<boolean> {
  if (released.has(token)) return false;
  const found = await findProcess(pid);
  if (found === null) return false;
  if (found.startTime !== null && startTime !== null) return found.startTime === startTime;
  const ageMs = await ageOf(file);
  return ageMs !== null && ageMs < UNKNOWN_MAX_AGE_MS;
}

/**
 * Removes the lock of a process that has ended. Only the process that has created the guard removes locks, so the lock cannot
 * become that of a living process between the check and the removal. Returns `false` while another process has the guard.
 */
async function discard(file: string, ended: Holder): Promise<boolean> {
  const guard = `${file}.removing`;
  if (!(await createGuard(guard))) return false;
  try {
    if ((await readHolder(file))?.token === ended.token) await rm(file, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Removing a lock takes milliseconds. The process of an older guard has ended. */
const GUARD_STALE_MS = 10_000;

async function createGuard(guard: string): Promise<boolean> {
  try {
    await writeFile(guard, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (!isTaken(codeOf(error))) throw error;
  }
  const ageMs = await ageOf(guard);
  if (ageMs !== null && ageMs > GUARD_STALE_MS) await rm(guard, { force: true });
  return false;
}

/** Milliseconds since the file was written; `null` where the file does not exist. */
async function ageOf(file: string): Promise<number | null> {
  try {
    return Math.abs(Date.now() - (await stat(file)).mtimeMs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** On Windows, creating a file that is being removed fails with EPERM. */
function isTaken(code: string | null): boolean {
  return code === 'EEXIST' || (process.platform === 'win32' && code === 'EPERM');
}
