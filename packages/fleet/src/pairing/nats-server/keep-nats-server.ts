import { pause, systemClock } from '../../clock.js';
import { codeOf, messageOf } from '../../error-facts.js';
import { type FleetErrorCode, isFleetError } from '../../fleet-error.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { ensureNatsServer } from './ensure-nats-server.js';
import { isRunning, natsServerPid } from './server-process.js';

const CHECK_INTERVAL_MS = 2_500;
/**
 * For how long a process that was recognised as nats-server counts as nats-server while it runs. To recognise it, Mai starts `tasklist` on
 * Windows and `ps` on macOS, which costs more than all other work of a check. On Linux, Mai reads a small file.
 */
const RECOGNISED_MS = process.platform === 'linux' ? 0 : 60_000;
/** The wait doubles with each failed attempt, up to this. */
const LONGEST_WAIT_MS = 60_000;

export interface KeepNatsServerOptions {
  readonly folder: string;
  /** Ends the watch. nats-server keeps running. */
  readonly signal: AbortSignal;
  /** Called with the process identifier where nats-server was started later than at once: it had ended, or could not be started before. */
  readonly onStart: (pid: number) => void;
  /** Called when nats-server cannot be started. Failures in a row with the same code are reported once. The start is tried again. */
  readonly onFault: (error: Error) => void;
  /** Milliseconds between two checks. Default 2,500. */
  readonly checkIntervalMs?: number;
  /** Milliseconds until a running nats-server must be recognised again by its command line. Default 60,000; 0 on Linux. */
  readonly recognisedMs?: number;
}

/**
 * Starts the nats-server that this host runs for its fleet, and starts it again where it ends, until the signal fires. It is started again
 * where two checks in a row find it gone, so that whoever restarts it by hand is not disturbed. Resolves after the first attempt,
 * whether it succeeded or not.
 *
 * Throws `NOT_PAIRED` where this machine belongs to no fleet, and `FILE_UNUSABLE`.
 */
export async function keepNatsServer(options: KeepNatsServerOptions): Promise<void> {
  const { folder, signal, onStart, onFault } = options;
  const { checkIntervalMs = CHECK_INTERVAL_MS, recognisedMs = RECOGNISED_MS } = options;
  let failures = 0;
  let lastFault: string | null = null;
  const succeeded = (): void => {
    failures = 0;
    lastFault = null;
  };
  const failed = (error: unknown): void => {
    failures += 1;
    // Compare codes and not messages: messages contain times of the log, so they differ each time.
    const kind = codeOf(error) ?? messageOf(error);
    if (kind === lastFault) return;
    lastFault = kind;
    onFault(error instanceof Error ? error : new Error(messageOf(error)));
  };

  let recognised: { readonly pid: number; readonly untilMs: number } | null = null;
  const recognise = (pid: number | null): void => {
    recognised = pid === null ? null : { pid, untilMs: systemClock.monotonicMs() + recognisedMs };
  };
  const isNatsServerRunning = async (): Promise<boolean> => {
    if (
      recognised !== null &&
      systemClock.monotonicMs() < recognised.untilMs &&
      isRunning(recognised.pid)
    )
      return true;
    recognise(await natsServerPid(fleetPaths(folder)));
    return recognised !== null;
  };

  const watch = async (): Promise<void> => {
    let wasGone = failures > 0;
    for (;;) {
      await pause(systemClock, Math.min(checkIntervalMs * 2 ** failures, LONGEST_WAIT_MS), signal);
      if (signal.aborted) return;
      try {
        if (await isNatsServerRunning()) {
          succeeded();
          wasGone = false;
          continue;
        }
        if (!wasGone) {
          wasGone = true;
          continue;
        }
        const pid = await ensureNatsServer({ folder, signal });
        // This host was removed from the fleet.
        if (pid === null) return;
        recognise(pid);
        onStart(pid);
        succeeded();
        wasGone = false;
      } catch (error) {
        if (signal.aborted || hasCode(error, 'NOT_PAIRED')) return;
        failed(error);
      }
    }
  };

  try {
    const pid = await ensureNatsServer({ folder, signal });
    if (pid === null) return;
    recognise(pid);
  } catch (error) {
    if (!hasCode(error, 'NATS_UNAVAILABLE') && !hasCode(error, 'ADDRESS_IN_USE')) throw error;
    failed(error);
  }
  void watch();
}

const hasCode = (error: unknown, code: FleetErrorCode): boolean =>
  isFleetError(error) && error.code === code;
