import type { Heartbeat } from '../state/heartbeat.js';

/** The start of this host's own process. */
export interface OwnStart {
  readonly epoch: string;
  /** Sequence of the last heartbeat that was sent. */
  readonly sequence: number;
}

/**
 * Whether a heartbeat under this host's name comes from a process that was started later: on another machine with a copy of this
 * host's keys, or on this machine while this process is about to end. Other hosts then listen only to the process that was
 * started later (`createHostTable`).
 *
 * The process that was started later has sent fewer heartbeats, because all hosts send them at the same rate. So the clocks of
 * other machines do not matter. A machine that was suspended for longer than the other has run is taken for the later one by
 * mistake. Other hosts then listen to neither of the two until one is started again.
 */
export function isLaterNamesake(own: OwnStart, heard: Heartbeat): boolean {
  if (heard.epoch === own.epoch) return false;
  if (heard.sequence !== own.sequence) return heard.sequence < own.sequence;
  return heard.epoch > own.epoch;
}
