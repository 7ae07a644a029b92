import { deliveryJson, describeDelivery, formatBytes } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { errorJson, EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai unload KEY-OR-IDENTIFIER`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const dryRun = input.has('dry-run');
  await using host = await openHostOf(context);
  const { unloaded, delivery, pinError } = await host.unload(
    {
      target: input.positionals[0] ?? '',
      all: input.has('all'),
      force: input.has('force'),
    },
    { dryRun },
  );
  if (pinError !== null) output.warn(errorJson(pinError).message);
  if (output.json) {
    output.resultJson({
      dryRun,
      unloaded: unloaded.map(({ instanceIdentifier, modelKey }) => ({
        instanceIdentifier,
        modelKey,
      })),
      delivery: deliveryJson(delivery),
    });
    return EXIT.success;
  }
  for (const { instanceIdentifier, modelKey, sizeBytes } of unloaded) {
    const mark = dryRun ? 'Would unload' : output.style.good('Unloaded');
    const key = instanceIdentifier === modelKey ? '' : ` (${modelKey})`;
    output.result(`${mark} ${instanceIdentifier}${key}, ${formatBytes(sizeBytes)} on disk.\n`);
  }
  if (delivery !== null) {
    output.note(output.noteStyle.dim(`Its pin is removed. ${describeDelivery(delivery)}`));
  }
  return EXIT.success;
}
