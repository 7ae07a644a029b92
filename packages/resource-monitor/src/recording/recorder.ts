import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { encodeHeader, encodeSample, isHeader } from './recording-format.js';

/** Writes samples to a file that `openRecording` plays back. */
export interface Recorder extends AsyncDisposable {
  /**
   * Resolves when the sample is written. Samples are written in the order of the calls. Rejects with a
   * ResourceMonitorError `PROBE_FAILED` where it can't be: the disk is full, say. The recording is whole
   * without it, and goes on with the next that can be written.
   */
  record(snapshot: ResourceSnapshot): Promise<void>;
}

/**
 * Starts a recording: JSON lines, one sample each. An older recording is replaced. A process that is
 * killed leaves a recording that is whole up to its last line.
 * @throws ResourceMonitorError `PROBE_FAILED` for a file that is there and no recording: it is left
 * alone; the file system's own error where the file can't be written.
 */
export async function createRecorder(
  path: string,
  options: { readonly clock?: Clock } = {},
): Promise<Recorder> {
  const { clock = systemClock } = options;
  if (await holdsSomethingElse(path)) {
    throw new ResourceMonitorError(
      'PROBE_FAILED',
      `${path} is there and is no recording, so it is not overwritten. Name another file.`,
      { path },
    );
  }
  const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
  let wholeBytes = 0;
  const append = async (line: string): Promise<void> => {
    try {
      await file.appendFile(line);
      wholeBytes += Buffer.byteLength(line);
    } catch (error) {
      // Half a line would spoil all that follow it. Pipes and devices have no end to cut.
      await file.truncate(wholeBytes).catch(() => undefined);
      throw error;
    }
  };
  try {
    await append(encodeHeader());
  } catch (error) {
    await file.close();
    throw error;
  }
  const startMs = clock.monotonicMs();
  let queue = Promise.resolve();
  return {
    record(snapshot) {
      const atMs = clock.monotonicMs() - startMs;
      const written = queue.then(() => append(encodeSample({ snapshot, atMs })));
      // One that failed is reported to its caller, and does not keep the next from being written.
      queue = written.catch(() => undefined);
      return written.catch((error: unknown) => {
        const { message } = error as Error;
        throw new ResourceMonitorError(
          'PROBE_FAILED',
          `A sample can't be written to ${path}: ${message}. Make room, or record to another file.`,
          { path, cause: error },
        );
      });
    },
    async [Symbol.asyncDispose]() {
      await queue;
      await file.close();
    },
  };
}

async function holdsSomethingElse(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  // Pipes and devices hold nothing, and reading from them would wait.
  if (found === null || !found.isFile() || found.size === 0) return false;
  const file = await open(path, 'r');
  try {
    const start = Buffer.alloc(Buffer.byteLength(encodeHeader()));
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return !isHeader(start.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}
