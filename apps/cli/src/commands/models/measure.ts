import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { settingsFromInput } from '../../arguments/estimate-settings.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';
import { renderMeasurement } from '../../views/estimate/measure-view.js';

/** Options that are not settings of a load. */
const NOT_IN_A_LOAD = [
  'batch',
  'ubatch',
  'kv-unified',
  'swa-full',
  'gpu-layers',
  'gpu-backend',
  'cpu',
  'engine',
  'stdin',
];

/** `mai estimate --measure KEY`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const [modelKey] = input.positionals;
  if (modelKey === undefined) throw new UsageError('mai estimate --measure needs a model key.');
  const stray = NOT_IN_A_LOAD.find((name) => input.has(name));
  if (stray !== undefined) {
    throw new UsageError(
      `A load has no setting for --${stray}, so --measure cannot use it. Leave it out.`,
    );
  }
  const settings = settingsFromInput(input);
  await using host = await openHostOf(context);
  const progress = output.progress(`Measuring ${modelKey}`, null);
  try {
    const onProgress = (ratio: number): void => progress.update(ratio);
    const report = await host.measure({ modelKey, settings, onProgress });
    progress.clear();
    if (output.json) output.resultJson(report);
    else output.result(renderMeasurement(report, output));
    return report.outcome.measured === null ? EXIT.probe : EXIT.success;
  } finally {
    progress.clear();
  }
}
