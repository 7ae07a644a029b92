import { readFile } from 'node:fs/promises';
import type { ResourceMonitor } from '../monitor/resource-monitor.js';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import { decodeRecording } from './recording-format.js';
import { replay } from './replay.js';

/** How a recording is played. */
export interface ReplayOptions {
  /** The system's own unless given. */
  readonly clock?: Clock;
  /**
   * How many times faster than it was recorded; 1 unless given. `Infinity` leaves time out: each call
   * of `snapshot`, and each step of `watch`, moves on by one sample.
   */
  readonly speed?: number;
}

/**
 * Opens a recording as a monitor: whatever takes a monitor takes a recording. Snapshots keep the time
 * stamps they were recorded with; `watch` ends with the recording, after which `snapshot` goes on
 * giving the last sample.
 * @throws ResourceMonitorError `PROBE_FAILED` for a file that can't be read or is no recording; TypeError for
 * a `speed` that is no number above 0.
 */
export async function openRecording(
  path: string,
  options: ReplayOptions = {},
): Promise<ResourceMonitor> {
  const { clock = systemClock, speed = 1 } = options;
  if (!(speed > 0)) throw new TypeError(`speed is a number above 0, not ${speed}.`);
  const fail = (what: string, cause?: unknown): ResourceMonitorError =>
    new ResourceMonitorError(
      'PROBE_FAILED',
      `${path} can't be replayed: ${what}. Record one with \`mai status --watch --record FILE\`.`,
      { path, ...(cause === undefined ? {} : { cause }) },
    );
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error);
  }
  const decoded = decodeRecording(text);
  if ('problem' in decoded) throw fail(`line ${decoded.line}: ${decoded.problem}`);
  return replay(decoded.samples, clock, speed);
}
