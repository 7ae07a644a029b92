import type { CommandContext } from '../../context.js';
import { createEventChanges } from '@mai/host';
import { errorJson } from '../../exit-codes.js';
import type { WatchReport } from './watch-report.js';

/** Prints each change as one line of JSON, for pipes, logs and other programs. */
export function createWatchLines({ io, output }: CommandContext): WatchReport {
  // The type comes first, so that people find it quickly in a line.
  const line = (type: string, value: object) => output.lineJson({ type, ...value });
  const changeOf = createEventChanges(errorJson);
  return {
    event: (event) => {
      const change = changeOf(event);
      if (change !== null) line(event.type, change);
    },
    configApplied: ({ source }) => {
      line('config-applied', { atMs: io.nowMs(), source: source.kind, file: source.file });
    },
    logFailed: (error) => {
      line('decision-log-failed', { atMs: io.nowMs(), error: errorJson(error) });
    },
    close: () => undefined,
  };
}
