import type { DecisionSink } from './decision-record.js';
import { createRotatingFile } from './rotating-file.js';

/** Options of the decision log. */
export interface DecisionLogOptions {
  readonly file: string;
  /** Size of one file. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Number of full files that are kept besides the current one. Default 4. */
  readonly keep?: number;
  /** Called when a record could not be written; the autopilot goes on. Default: no call. */
  readonly onError?: (error: unknown) => void;
}

/** Writes the decision log as JSON lines into a file that is moved aside when it is full. */
export function createDecisionLog(options: DecisionLogOptions): DecisionSink {
  const { file, maxBytes = 8 * 1024 * 1024, keep = 4, onError = () => undefined } = options;
  const lines = createRotatingFile({ file, maxBytes, keep });
  return {
    write: (record) => {
      lines.append(JSON.stringify(record)).catch(onError);
    },
    flushed: () => lines.flushed(),
  };
}
