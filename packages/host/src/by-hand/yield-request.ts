import type { Yield } from '@mai/autopilot';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import { findProcess } from '../processes/find-process.js';

/** Memory that is to be kept free for others. */
export interface YieldRequest {
  readonly bytes: number;
  /** Which pools; all unless given. */
  readonly pools?: Yield['pools'];
  /** Replaces the yield of the same name. The program's name, or `by hand`, unless given. */
  readonly name?: string | null;
  /** When it ends, in epoch milliseconds. Without this and `whileProcess` it lasts until it is ended. */
  readonly untilMs?: number | null;
  /** The name or the id of a running program: the yield ends with it. */
  readonly whileProcess?: string | null;
}

/** @throws HostError for an end that has passed, and a program that does not run or can't be told from others */
export async function yieldOf(
  { bytes, pools = 'all', name = null, untilMs = null, whileProcess = null }: YieldRequest,
  { clock, platform, signal }: HostContext,
): Promise<Yield> {
  const sinceMs = clock.nowMs();
  if (untilMs !== null && untilMs <= sinceMs) {
    throw new HostError('INVALID_REQUEST', 'The end of the yield is in the past.');
  }
  const process = whileProcess === null ? null : await findProcess(whileProcess, platform, signal);
  return {
    name: name ?? (process === null ? 'by hand' : nameOf(process, whileProcess)),
    ...{ bytes, pools, sinceMs, untilMs },
    processId: process?.processId ?? null,
  };
}

/** Two programs that are named by their ids get a yield each. */
function nameOf(
  { name, startedAs, processId }: Awaited<ReturnType<typeof findProcess>>,
  given: string | null,
): string {
  const called = startedAs ?? name;
  return given === String(processId) ? `${called} ${processId}` : called;
}
