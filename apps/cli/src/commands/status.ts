import { createLiveView, type Host, type StatusReport } from '@mai/host';
import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { fitToWindow } from '../terminal/output.js';
import { renderStatus } from '../views/machine/status-view.js';

/** `mai status`, once or until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  if (input.has('watch') || input.has('record')) return await watch(host, input, context);
  const report = await host.status();
  if (output.json) output.resultJson(jsonOf(report));
  else output.result(renderStatus(report, output));
  return EXIT.success;
}

async function watch(
  host: Host,
  input: Input,
  { output, signal }: CommandContext,
): Promise<ExitCode> {
  const recordTo = input.text('record');
  const intervalMs = input.durationMs('interval') ?? undefined;
  const view = output.json ? null : createLiveView(output);
  try {
    for await (const report of host.watchStatus({ intervalMs, recordTo })) {
      if (view === null) output.lineJson(jsonOf(report));
      else view.show(renderStatus(report, fitToWindow(output)));
    }
  } catch (error) {
    // Ctrl-C is the normal end of --watch, so the exit code is 0.
    if (!signal.aborted) throw error;
  } finally {
    view?.close();
  }
  return EXIT.success;
}

/** Leaves out the monitor's own reading, because `resources` has the same figures. */
function jsonOf(report: StatusReport): object {
  const { runtime, resources, pools, trends, residents, elsewhere, config } = report;
  return { runtime, resources, pools, trends, residents, elsewhere, config };
}
