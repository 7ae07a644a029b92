import { estimateWarnings } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { answerLines } from './answer-lines.js';
import { settingsFromInput } from '../../arguments/estimate-settings.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';
import { renderEstimate } from '../../views/estimate/estimate-view.js';

/** `mai estimate KEY-OR-FILE`, or `--stdin` for many questions. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const [model] = input.positionals;
  if (input.has('measure')) return (await import('./measure.js')).run(context, input);
  const settings = settingsFromInput(input);
  const engine = input.text('engine');
  if (input.has('stdin')) {
    if (model !== undefined) {
      throw new UsageError(
        `--stdin reads the names of files from standard input. Leave ${model} out.`,
      );
    }
    if (engine !== null || Object.values(settings).some((value) => value !== null)) {
      throw new UsageError(
        '--stdin reads the settings from standard input. Leave the other options out.',
      );
    }
    await answerLines(context);
    return EXIT.success;
  }
  if (model === undefined) {
    throw new UsageError(
      'mai estimate needs KEY-OR-FILE: a model key or a GGUF file (or --stdin).',
    );
  }
  await using host = await openHostOf(context);
  const estimate = await host.estimate({ model, settings, engine, judge: !output.json });
  for (const warning of estimateWarnings(estimate)) output.warn(warning);
  const { modelKey, report, refusal, fault, fit } = estimate;
  if (output.json) {
    const [footprint, speed] = [fit?.footprint ?? null, estimate.speed?.speed ?? null];
    const ofKey = { footprint, speed, corrected: estimate.corrected, lmStudio: estimate.lmStudio };
    output.resultJson({ file: model, ...report, refusal: fault, ...(modelKey !== null && ofKey) });
  } else output.result(renderEstimate(estimate, output));
  return refusal === null ? EXIT.success : EXIT.modelFile;
}
