import type { Yield } from '@mai/autopilot';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import { findProcess } from '../processes/find-process.js';

/** Memory to keep free for others. */
export interface YieldRequest {
  readonly bytes: number;
  /** Which pools; all unless given. */
  readonly pools?: Yield['pools'];
  /**
   * Name of the yield; a yield of the same name is replaced. Default: the program's name, or `by
   * hand`.
   */
  readonly name?: string | null;
  /**
   * End in epoch milliseconds. Without this and `whileProcess` the yield lasts until `endYield`.
   */
  readonly untilMs?: number | null;
  /** Name or id of a running program; the yield ends when the program ends. */
  readonly whileProcess?: string | null;
}

/**
 * @throws HostError where the end has passed, or the program does not run or its name is
 * ambiguous
 */
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

/** Programs that are given by id get one yield each. */
function nameOf(
  { name, startedAs, processId }: Awaited<ReturnType<typeof findProcess>>,
  given: string | null,
): string {
  const called = startedAs ?? name;
  return given === String(processId) ? `${called} ${processId}` : called;
}
