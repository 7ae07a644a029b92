import { open } from 'node:fs/promises';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { encodeHeader, encodeSample } from './recording-format.js';

/** Writes samples to a file that `openRecording` plays back. */
export interface Recorder extends AsyncDisposable {
  /** Resolves when the sample is written. Samples are written in the order of the calls. */
  record(snapshot: ResourceSnapshot): Promise<void>;
}

/**
 * Starts a recording: JSON lines, one sample each. An existing file is replaced. A process that is
 * killed leaves a recording that is whole up to its last line.
 * @throws the file system's own error where the file can't be written.
 */
export async function createRecorder(
  path: string,
  options: { readonly clock?: Clock } = {},
): Promise<Recorder> {
  const { clock = systemClock } = options;
  const file = await open(path, 'w');
  const startMs = clock.monotonicMs();
  let queue = file.appendFile(encodeHeader());
  return {
    record(snapshot) {
      const atMs = clock.monotonicMs() - startMs;
      const written = queue.then(() => file.appendFile(encodeSample({ snapshot, atMs })));
      // One that failed is reported to its caller, and does not keep the next from being written.
      queue = written.catch(() => undefined);
      return written;
    },
    async [Symbol.asyncDispose]() {
      await queue.catch(() => undefined);
      await file.close();
    },
  };
}
