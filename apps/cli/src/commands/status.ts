import path from 'node:path';
import type { Recorder, WatchOptions } from '@mai/resource-monitor';
import { createRecorder } from '@mai/resource-monitor';
import type { Input } from '../command-line/input.js';
import type { Session } from '../compose/session.js';
import { openSession } from '../compose/session.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { fitToWindow } from '../terminal/output.js';
import { createLiveView } from '../terminal/live-view.js';
import { UsageError } from '../usage-error.js';
import type { StatusReport } from '../compose/read-status.js';
import { readStatus } from '../compose/read-status.js';
import { renderStatus } from '../views/machine/status-view.js';

/** Nothing is lost by looking rarely while nothing moves. */
const DEFAULT_INTERVAL = { minMs: 500, maxMs: 2000 };

/** `mai status`, once or until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const recordTo = input.text('record');
  await using session = await openSession(context);
  if (input.has('watch') || recordTo !== null) {
    const intervalMs = input.durationMs('interval') ?? DEFAULT_INTERVAL;
    return await watch(session, { intervalMs, recordTo }, context);
  }
  const report = await readStatus(session, signal);
  if (output.json) output.resultJson(jsonOf(report));
  else output.result(renderStatus(report, output));
  return EXIT.success;
}

interface WatchRequest {
  readonly intervalMs: WatchOptions['intervalMs'];
  readonly recordTo: string | null;
}

async function watch(
  session: Session,
  { intervalMs, recordTo }: WatchRequest,
  { io, output, signal }: CommandContext,
): Promise<ExitCode> {
  await using recorder =
    recordTo === null ? null : await openRecorder(path.resolve(io.cwd, recordTo));
  const view = output.json ? null : createLiveView(output.stdout);
  try {
    for await (const snapshot of session.machine.watch({ signal, intervalMs })) {
      await recorder?.record(snapshot);
      const report = await readStatus(session, signal);
      if (view === null)
        output.result(`${JSON.stringify({ schemaVersion: 1, ...jsonOf(report) })}\n`);
      else view.show(renderStatus(report, fitToWindow(output)));
    }
  } catch (error) {
    // Ctrl-C is how a watch ends, not how it fails.
    if (!signal.aborted) throw error;
  } finally {
    view?.close();
  }
  return EXIT.success;
}

async function openRecorder(file: string): Promise<Recorder> {
  try {
    return await createRecorder(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Readings can't be written to ${file}: ${reason}`, { cause: error });
  }
}

/** Without the reading itself, which says the same as the resources in the monitor's own words. */
function jsonOf(report: StatusReport): object {
  const { lmStudio, resources, pools, trends, residents, elsewhere, config } = report;
  return { lmStudio, resources, pools, trends, residents, elsewhere, config };
}
