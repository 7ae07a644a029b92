import type { CommandContext } from '../../context.js';
import { SCHEMA_VERSION } from '../../terminal/output.js';
import { errorJson, eventJson } from './event-json.js';
import type { WatchReport } from './watch-report.js';

/** One line of JSON for every event: for pipes, logs and other programs. */
export function createWatchLines({ io, output }: CommandContext): WatchReport {
  const line = (type: string, value: object) => {
    // What kind of event it is comes first, for those who read along.
    const versioned = Object.assign({ schemaVersion: SCHEMA_VERSION, type }, value);
    output.result(`${JSON.stringify(versioned)}\n`);
  };
  let nextTenth = 0;
  return {
    event: (event) => {
      // A load reports a hundred times; a line for every tenth says as much.
      if (event.type === 'switch-step' && event.step.type === 'loading') {
        const tenth = Math.floor(event.step.progressRatio * 10);
        if (tenth < nextTenth) return;
        nextTenth = tenth + 1;
      } else if (event.type !== 'emergency') {
        nextTenth = 0;
      }
      line(event.type, eventJson(event));
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
