import { createLiveView, describeEvent, describeRuntime } from '@mai/host';
import type { AutopilotEvent, RunningAutopilot } from '@mai/host';
import type { CommandContext } from '../../context.js';
import { errorJson } from '../../exit-codes.js';
import { fitToWindow } from '../../terminal/output.js';
import type { WatchReport } from './watch-report.js';
import { type LoadProgress, MAX_LOG_LINES, renderWatch } from './watch-view.js';

/** Minimum time between two redraws for load progress. */
const REDRAW_EVERY_MS = 100;

/** The live view of `mai watch` on a terminal. */
export function createWatchScreen(
  autopilot: RunningAutopilot,
  dryRun: boolean,
  { io, output }: CommandContext,
): WatchReport {
  const view = createLiveView(output);
  const log: { atMs: number; text: string }[] = [];
  let loading: LoadProgress | null = null;
  let gone: ReadonlySet<string> = new Set();
  let drawnMs = -Infinity;

  const say = (text: string) => {
    log.push({ atMs: io.nowMs(), text });
    if (log.length > MAX_LOG_LINES) log.shift();
  };
  const draw = (stopped: boolean) => {
    drawnMs = io.nowMs();
    view.show(
      renderWatch(
        {
          runtime: describeRuntime(autopilot.address, autopilot.version),
          dryRun,
          stopped,
          loading,
          gone,
          log,
          state: autopilot.state,
          nowMs: drawnMs,
          rows: output.stdout.rows,
        },
        fitToWindow(output),
      ),
    );
  };
  const follow = (event: AutopilotEvent) => {
    if (event.type === 'switch-step' && event.step.type === 'loading') {
      const { modelKey, progressRatio } = event.step;
      const began = loading?.modelKey !== modelKey;
      loading = { modelKey, ratio: progressRatio };
      if (!began && io.nowMs() - drawnMs < REDRAW_EVERY_MS) return;
    } else if (event.type !== 'decided' && event.type !== 'emergency') {
      loading = null;
    }
    if (event.type === 'decided') gone = new Set();
    if (event.type === 'switch-step' && event.step.type === 'unloaded') {
      gone = new Set([...gone, event.step.instanceIdentifier]);
    }
    const text = describeEvent(event, autopilot.state.decision?.selection ?? null, output.style);
    if (text !== null) say(text);
    draw(event.type === 'stopped');
  };
  return {
    event: follow,
    configApplied: ({ source }) => {
      say(`${output.style.good('Configuration applied')}: ${source.file ?? 'the built-in one'}.`);
    },
    logFailed: (error) => {
      say(`${output.style.caution('Decision not logged')}: ${errorJson(error).message}`);
    },
    close: () => view.close(),
  };
}
