import type { Heartbeat } from '../state/heartbeat.js';

/** This host's own process. */
export interface OwnStart {
  readonly epoch: string;
  readonly uptimeMs: number;
}

/** Two processes that were started within this time are told apart by their epochs, because a heartbeat takes time to arrive. */
const SAME_START_MS = 2000;

/**
 * Whether a heartbeat under this host's name comes from a process that was started later: on another machine with a copy of this
 * host's keys, or on this machine while this process is about to end. Other hosts then listen only to the process that was
 * started later (`createHostTable`).
 *
 * Each process measures its own uptime, so the clocks of other machines do not matter. Some systems do not count the time of a
 * suspension. There, a machine that was suspended for longer than the other has run is taken for the later one by mistake.
 * Other hosts then listen to neither of the two until one is started again. False where the uptime is not known.
 */
export function isLaterNamesake(own: OwnStart, heard: Heartbeat): boolean {
  if (heard.epoch === own.epoch || heard.uptimeMs === null) return false;
  const laterByMs = own.uptimeMs - heard.uptimeMs;
  return Math.abs(laterByMs) > SAME_START_MS ? laterByMs > 0 : heard.epoch > own.epoch;
}
