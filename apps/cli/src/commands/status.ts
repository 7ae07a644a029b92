import type { Input } from '../command-line/input.js';
import type { Session } from '../compose/session.js';
import { openSession } from '../compose/session.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { createLiveView } from '../terminal/live-view.js';
import type { StatusReport } from '../compose/read-status.js';
import { readStatus } from '../compose/read-status.js';
import { renderStatus } from '../views/status-view.js';

const DEFAULT_INTERVAL_MS = 1000;

/** `mai status`, once or until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const intervalMs = input.durationMs('interval') ?? DEFAULT_INTERVAL_MS;
  await using session = await openSession(context);
  if (input.has('watch')) return await watch(session, intervalMs, context);
  const report = await readStatus(session, signal);
  if (output.json) output.resultJson(jsonOf(report));
  else output.result(renderStatus(report, output));
  return EXIT.success;
}

async function watch(
  session: Session,
  intervalMs: number,
  { io, output, signal }: CommandContext,
): Promise<ExitCode> {
  const view = output.json ? null : createLiveView(output.stdout);
  try {
    for (;;) {
      const report = await readStatus(session, signal);
      if (view === null)
        output.result(`${JSON.stringify({ schemaVersion: 1, ...jsonOf(report) })}\n`);
      else view.show(renderStatus(report, output));
      await io.sleep(intervalMs, signal);
    }
  } catch (error) {
    // Ctrl-C is how a watch ends, not how it fails.
    if (signal.aborted) return EXIT.success;
    throw error;
  } finally {
    view?.close();
  }
}

function jsonOf({ resources, pools, lmStudio, residents, config }: StatusReport): object {
  return { lmStudio, resources, pools, residents, config };
}
