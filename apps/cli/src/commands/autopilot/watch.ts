import type { RunningAutopilot } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import { requestOf } from '../../arguments/shared-options.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode, knownError } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { createWatchLines } from '../../views/watch/watch-lines.js';
import type { WatchReport } from '../../views/watch/watch-report.js';
import { createWatchScreen } from '../../views/watch/watch-screen.js';

const RETRY_MS = 1000;

/** `mai watch`: runs the autopilot until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const dryRun = input.has('dry-run');
  let report: WatchReport | null = null;
  const request = {
    selection: requestOf(input),
    dryRun,
    intervalMs: input.durationMs('interval'),
    onConfigApplied: (config: Parameters<WatchReport['configApplied']>[0]) =>
      report?.configApplied(config),
    onLogError: (error: unknown) => report?.logFailed(error),
  };
  const wait = input.has('wait');
  // Waits for LM Studio first, because a host uses the embedded engine where LM Studio is off.
  await using host = await openHostOf(
    context,
    wait && context.globals.runtime === undefined ? { runtime: 'lmstudio' } : {},
  );
  const start = () => host.startAutopilot(request);
  await using autopilot = await (wait ? untilReachable(start, context) : start());
  const live = output.stdout.isTTY && !output.json;
  report = live ? createWatchScreen(autopilot, dryRun, context) : createWatchLines(context);
  await follow(autopilot, report, signal);
  if (autopilot.lostTo !== null) throw autopilot.lostTo;
  return EXIT.success;
}

/** Tries again while LM Studio does not answer. Other errors and the signal end the wait. */
async function untilReachable<Result>(
  start: () => Promise<Result>,
  { io, output, signal }: CommandContext,
): Promise<Result> {
  for (let first = true; ; first = false) {
    try {
      return await start();
    } catch (error) {
      if (knownError(error)?.code !== 'UNREACHABLE') throw error;
      if (first) output.note('LM Studio does not answer yet. Waiting for LM Studio until Ctrl-C.');
    }
    await io.sleep(RETRY_MS, signal);
  }
}

/** Shows the events of the autopilot until it has stopped. The signal stops the autopilot. */
async function follow(
  autopilot: RunningAutopilot,
  report: WatchReport,
  signal: AbortSignal,
): Promise<void> {
  const stop = () => void autopilot.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const event of autopilot.events) report.event(event);
  } finally {
    signal.removeEventListener('abort', stop);
    report.close();
  }
}
