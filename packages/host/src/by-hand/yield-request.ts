import type { Yield } from '@mai/autopilot';
import { NAME_MAX_LENGTH, oneLine } from '@mai/memory-ledger';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import { findProcess } from '../processes/find-process.js';
import { checkName } from './check-name.js';

/** Memory to keep free for others. */
export interface YieldRequest {
  readonly bytes: number;
  /** The pools in which memory is kept free. Default: all. */
  readonly pools?: Yield['pools'];
  /**
   * Name of the yield: one line of at most 300 characters. Replaces the yield of the same name. Default: the program's name, or
   * `by hand` without a program.
   */
  readonly name?: string | null;
  /**
   * End in epoch milliseconds. Without an end and without `whileProcess`, the yield lasts until
   * `endYield`.
   */
  readonly untilMs?: number | null;
  /** Name or id of a running program; the yield ends when the program ends. */
  readonly whileProcess?: string | null;
}

/**
 * Makes a yield of a request. @throws HostError `INVALID_REQUEST` where the end has passed, the name is not one line, the program
 * does not run, or several programs have the name
 */
export async function yieldOf(
  { bytes, pools = 'all', name = null, untilMs = null, whileProcess = null }: YieldRequest,
  { clock, platform, signal }: HostContext,
): Promise<Yield> {
  if (name !== null) checkName('name of a yield', name);
  const sinceMs = clock.nowMs();
  if (untilMs !== null && untilMs <= sinceMs) {
    throw new HostError('INVALID_REQUEST', 'The end of the yield is in the past.');
  }
  const process = whileProcess === null ? null : await findProcess(whileProcess, platform, signal);
  return {
    name: name ?? (process === null ? 'by hand' : nameOf(process, whileProcess)),
    bytes,
    pools,
    sinceMs,
    untilMs,
    processId: process?.processId ?? null,
  };
}

/** Longest part of a program's name. Its id must fit in behind it. */
const PROGRAM_MAX_LENGTH = NAME_MAX_LENGTH - 20;

/**
 * If the program was given by its id, the name contains the id, so that each program gets its own yield. A program chooses its own
 * name, which may have any characters.
 */
function nameOf(
  { name, startedAs, processId }: Awaited<ReturnType<typeof findProcess>>,
  given: string | null,
): string {
  const called = oneLine((startedAs ?? name).slice(0, PROGRAM_MAX_LENGTH));
  return given === String(processId) ? `${called} ${processId}` : called;
}
