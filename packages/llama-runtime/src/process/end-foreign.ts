import { askEngine, type EngineEndpoint } from './engine-http.js';
import { STOP_GRACE_MS, TERMINATE_GRACE_MS } from './engine-process.js';
import { codeOf, findProcess, type RunningProcess } from './system/process-identity.js';

/** An engine that another process has started. */
export interface ForeignEngine {
  readonly pid: number;
  /** The start time that `findProcess` found before the load; `null`: not known. */
  readonly startTime: string | null;
  readonly endpoint: EngineEndpoint;
}

/** The system may need seconds to free the memory of a killed process. */
const KILL_GRACE_MS = 30_000;
const POLL_MS = 25;

/**
 * Ends an engine of another process: `POST /mai/stop`, then SIGTERM, then SIGKILL. Resolves with `true` when the
 * process is gone, and with `false` where it survives SIGKILL.
 */
export async function endForeign(engine: ForeignEngine): Promise<boolean> {
  // An engine that does not answer is ended by a signal.
  await askEngine(engine.endpoint, '/mai/stop', {
    method: 'POST',
    timeoutMs: STOP_GRACE_MS,
  }).catch(() => undefined);
  if (await goneWithin(engine, STOP_GRACE_MS)) return true;
  signalTo(engine.pid, 'SIGTERM');
  if (await goneWithin(engine, TERMINATE_GRACE_MS)) return true;
  signalTo(engine.pid, 'SIGKILL');
  return goneWithin(engine, KILL_GRACE_MS);
}

/** Whether an engine's process is gone. Another process may have its number by now. */
async function isGone({ pid, startTime }: ForeignEngine): Promise<boolean> {
  const found = await findProcess(pid);
  return found === null || isAnother(found, startTime);
}

/** Whether a process has another start time. */
export function isAnother(found: RunningProcess, startTime: string | null): boolean {
  return found.startTime !== null && startTime !== null && found.startTime !== startTime;
}

/** Waits until an engine's process is gone, and at most this long. Returns whether it is gone. */
export async function goneWithin(engine: ForeignEngine, ms: number): Promise<boolean> {
  const untilMs = performance.now() + ms;
  while (!(await isGone(engine))) {
    if (performance.now() >= untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** Sends a signal to a process that may have ended. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // The process has just ended.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
