import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import { messageOf, ResourceMonitorError } from '../resource-monitor-error.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { encodeHeader, encodeSample, isHeader } from './recording-format.js';

/** Writes samples to a file that `openRecording` replays. */
export interface Recorder extends AsyncDisposable {
  /**
   * Resolves when the sample is written. Samples are written in the order of the calls.
   * @throws ResourceMonitorError `PROBE_FAILED` if the sample cannot be written, for example because the disk
   * is full. The recording stays valid without the sample, and the next sample can be recorded.
   */
  record(snapshot: ResourceSnapshot): Promise<void>;
}

/**
 * Starts a recording of JSON lines, one per sample. An existing recording is replaced. If the process is
 * killed, the recording is valid up to the last complete line.
 * @throws ResourceMonitorError `PROBE_FAILED` if the file exists and is not a recording, which is then left
 * unchanged; the file system's error if the file cannot be written.
 */
export async function createRecorder(
  path: string,
  options: { readonly clock?: Clock } = {},
): Promise<Recorder> {
  const { clock = systemClock } = options;
  if (await holdsSomethingElse(path)) {
    throw new ResourceMonitorError(
      'PROBE_FAILED',
      `${path} exists and is not a recording, so it is not overwritten. Choose another file.`,
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
      // An incomplete line would make the following lines unreadable. Truncating fails for pipes and devices.
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
      // The caller gets the error. A later sample is still written.
      queue = written.catch(() => undefined);
      return written.catch((error: unknown) => {
        throw new ResourceMonitorError(
          'PROBE_FAILED',
          `A sample cannot be written to ${path}: ${messageOf(error)}. Free some space, or record to another file.`,
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
  // Pipes and devices have no content, and reading from them would block.
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
