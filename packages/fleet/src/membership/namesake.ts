import type { Heartbeat } from '../state/heartbeat.js';

/** The start of this host's own process. */
export interface OwnStart {
  readonly epoch: string;
  /** Sequence of the last heartbeat that was sent. */
  readonly sequence: number;
}

/**
 * Whether a heartbeat under the own name tells of a later start: that of another machine with a copy of this host's keys, or of this
 * machine, where the own process is about to end. Other hosts then listen to the later start only (`createHostTable`).
 *
 * The later start has sent fewer heartbeats, because all hosts send them at the same rate. No clock of another machine is asked.
 * A machine that was suspended for longer than the other has run is taken for the later one, by mistake. Other hosts then listen
 * to neither, until one of the two is started again.
 */
export function isLaterNamesake(own: OwnStart, heard: Heartbeat): boolean {
  if (heard.epoch === own.epoch) return false;
  if (heard.sequence !== own.sequence) return heard.sequence < own.sequence;
  return heard.epoch > own.epoch;
}
