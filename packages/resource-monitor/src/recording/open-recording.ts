import { readFile } from 'node:fs/promises';
import type { ResourceMonitor } from '../monitor/resource-monitor.js';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import { messageOf, ResourceMonitorError } from '../resource-monitor-error.js';
import { decodeRecording } from './recording-format.js';
import { replay } from './replay.js';

/** Options of a replay. */
export interface ReplayOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /**
   * Speed of the replay relative to the recording. Default: 1. With `Infinity` no time passes: each call of
   * `snapshot` and each step of `watch` advances by one sample.
   */
  readonly speed?: number;
}

/**
 * Opens a recording as a monitor. Snapshots have the timestamps of the recording. `watch` ends with the
 * recording. After that, `snapshot` returns the last sample.
 * @throws ResourceMonitorError `PROBE_FAILED` if the file cannot be read or is not a recording; RangeError if
 * `speed` is not a number above 0.
 */
export async function openRecording(
  path: string,
  options: ReplayOptions = {},
): Promise<ResourceMonitor> {
  const { clock = systemClock, speed = 1 } = options;
  if (!(speed > 0)) throw new RangeError(`speed must be a number above 0, not ${speed}.`);
  const fail = (what: string, cause?: unknown): ResourceMonitorError =>
    new ResourceMonitorError(
      'PROBE_FAILED',
      `${path} cannot be replayed: ${what}. Record one with \`mai status --watch --record FILE\`.`,
      { path, ...(cause === undefined ? {} : { cause }) },
    );
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  const decoded = decodeRecording(text);
  if ('problem' in decoded) throw fail(`line ${decoded.line}: ${decoded.problem}`);
  return replay(decoded.samples, clock, speed);
}
