import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { Input } from '../command-line/input.js';
import type { AutopilotSession } from '../compose/autopilot-session.js';
import { openAutopilotSession } from '../compose/autopilot-session.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { createWatchLines } from '../views/watch/watch-lines.js';
import type { WatchReport } from '../views/watch/watch-report.js';
import { createWatchScreen } from '../views/watch/watch-screen.js';
import { requestOf } from '../command-line/selection-request.js';

const RETRY_MS = 1000;

/** `mai watch`: runs the autopilot until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const dryRun = input.has('dry-run');
  let report: WatchReport | null = null;
  const selection = requestOf(input);
  const intervalMs = input.durationMs('interval');
  const open = () =>
    openAutopilotSession(context, {
      ...{ selection, dryRun, intervalMs },
      onConfigApplied: (config) => report?.configApplied(config),
      onLogError: (error) => report?.logFailed(error),
    });
  await using session = await (input.has('wait') ? untilReachable(open, context) : open());
  const live = output.stdout.isTTY && !output.json;
  const make = () =>
    live ? createWatchScreen(session, dryRun, context) : createWatchLines(context);
  await follow(session, () => (report = make()), signal);
  const lost = session.lostTo();
  if (lost !== null) throw lost;
  return EXIT.success;
}

/** Tries again until LM Studio answers; every other trouble, and the signal, end it. */
async function untilReachable<Session>(
  open: () => Promise<Session>,
  { io, output, signal }: CommandContext,
): Promise<Session> {
  for (let first = true; ; first = false) {
    try {
      return await open();
    } catch (error) {
      if (!isLMStudioError(error) || error.code !== 'UNREACHABLE') throw error;
      if (first) output.note('LM Studio does not answer yet. Waiting for it; Ctrl-C ends this.');
    }
    await io.sleep(RETRY_MS, signal);
  }
}

/** Starts it and shows what it does until it has stopped; the signal stops it. */
async function follow(
  { autopilot }: AutopilotSession,
  open: () => WatchReport,
  signal: AbortSignal,
): Promise<void> {
  const events = autopilot.events[Symbol.asyncIterator]();
  const stop = () => void autopilot.stop();
  await autopilot.start();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  // Only now: who is refused the lock has nothing to show.
  const report = open();
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      report.event(next.value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    report.close();
  }
}
