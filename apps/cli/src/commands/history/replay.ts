import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { renderReplay } from '../../views/history/replay-view.js';

/** `mai replay [LOG]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const replayed = await host.replay(input.positionals[0] ?? null);
  const { files: _, ...summary } = replayed;
  if (output.json) output.resultJson(summary);
  else output.result(renderReplay(replayed, output));
  return summary.same ? EXIT.success : EXIT.fault;
}
