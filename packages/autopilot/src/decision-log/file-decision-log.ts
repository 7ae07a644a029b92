import type { DecisionSink } from './decision-record.js';
import { createRotatingFile } from './rotating-file.js';

/** How large the log may grow. */
export interface DecisionLogOptions {
  readonly file: string;
  /** Of one file. Default 8 MiB. */
  readonly maxBytes?: number;
  /** How many full ones are kept beside it. Default 4. */
  readonly keep?: number;
  /** Told when a record could not be written; the autopilot goes on without. Default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** The decision log in a file of JSON lines that is moved aside when it is full. */
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
