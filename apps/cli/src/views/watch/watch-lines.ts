import type { CommandContext } from '../../context.js';
import { eventJson } from '@mai/host';
import { errorJson } from '../../exit-codes.js';
import type { WatchReport } from './watch-report.js';

/** Prints each event as one line of JSON, for pipes, logs and other programs. */
export function createWatchLines({ io, output }: CommandContext): WatchReport {
  // The type comes first, so that people find it quickly in a line.
  const line = (type: string, value: object) => output.lineJson({ type, ...value });
  let nextTenth = 0;
  return {
    event: (event) => {
      // A load reports progress about a hundred times, but ten lines are enough.
      if (event.type === 'switch-step' && event.step.type === 'loading') {
        const tenth = Math.floor(event.step.progressRatio * 10);
        if (tenth < nextTenth) return;
        nextTenth = tenth + 1;
      } else if (event.type !== 'emergency') {
        nextTenth = 0;
      }
      line(event.type, eventJson(event, errorJson));
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
