import { unreachableNotes, wrap } from '@mai/host';
import type { Host } from '@mai/host';
import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { nextSteps } from '../demo/next-steps.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { renderModels } from '../views/selection/models-view.js';
import { renderSelection } from '../views/selection/selection-view.js';
import { renderStatus } from '../views/machine/status-view.js';

/**
 * `mai start`, which `npm start` runs. Shows this machine where LM Studio runs, or where the embedded engine has found
 * models. Without models, the demo uses the embedded engine and models of its own. Without an engine, it is simulated.
 */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const options = { fast: input.has('fast') };
  await using host = await openHostOf(context);
  const status = await host.status();
  const { runtime } = status;
  if (runtime.state === 'running' && (runtime.name === 'lmstudio' || (await hasModels(host)))) {
    await showEverything(host, status, context);
    nextSteps(output, runtime.name === 'embedded' ? 'embedded' : 'machine');
    return EXIT.success;
  }
  let why = runtime.state === 'running' ? null : runtime.message;
  if (why === null) {
    for (const note of unreachableNotes(await host.models())) output.warn(note);
    const { runRealDemo } = await import('../demo/run-real-demo.js');
    why = await runRealDemo(context, options);
    if (why === null) {
      nextSteps(output, 'no-models');
      return EXIT.success;
    }
  }
  if (!output.json) {
    const text =
      runtime.state === 'running'
        ? `The demo with real models cannot run here, so it is simulated: ${why}.`
        : `No engine can load a model here, so this demo is simulated. (${why})`;
    output.result(`${wrap(text, output.textWidth).join('\n')}\n\n`);
  }
  const { runDemo } = await import('../demo/run-demo.js');
  await runDemo(context, options);
  nextSteps(output, 'no-engine');
  return EXIT.success;
}

async function hasModels(host: Host): Promise<boolean> {
  return (await host.models()).models.some(({ profile }) => profile.capabilities.includes('chat'));
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
