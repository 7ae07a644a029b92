import type { Host } from '@mai/host';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import { nextSteps } from '../demo/next-steps.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { wrap } from '../terminal/text.js';
import { renderModels } from '../views/selection/models-view.js';
import { renderSelection } from '../views/selection/selection-view.js';
import { renderStatus } from '../views/machine/status-view.js';

/**
 * `mai start`, which `npm start` runs: shows this machine where LM Studio runs, else the demo.
 */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const status = await host.status();
  const { runtime } = status;
  if (runtime.state === 'running') {
    await showEverything(host, status, context);
    nextSteps(output, true);
    return EXIT.success;
  }
  if (!output.json) {
    const text = `LM Studio is not running here, so this is a demo. (${runtime.message})`;
    output.result(`${wrap(text, output.textWidth).join('\n')}\n\n`);
  }
  const { runDemo } = await import('../demo/run-demo.js');
  await runDemo(context, { fast: input.has('fast') });
  nextSteps(output, false);
  return EXIT.success;
}

/**
 * Shows machine, models and the choice. Does not load, because the user has not asked for a load.
 */
async function showEverything(
  host: Host,
  status: Awaited<ReturnType<Host['status']>>,
  { output }: CommandContext,
): Promise<void> {
  const { models } = await host.models();
  const report = await host.select();
  if (output.json) {
    output.resultJson({ simulated: false, status, models, selection: report.selection });
    return;
  }
  output.result(renderStatus(status, output));
  output.result(`\n${output.style.heading('Downloaded models')}\n${renderModels(models, output)}`);
  output.result(`\n${renderSelection(report, output)}`);
}
