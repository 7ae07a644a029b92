import { deliveryJson, describeDelivery } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai unpin KEY-OR-IDENTIFIER`, `mai unpin --all`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const dryRun = input.has('dry-run');
  await using host = await openHostOf(context);
  const { unpinned, delivery } = await host.unpin(
    { target: input.positionals[0] ?? null, all: input.has('all') },
    { dryRun },
  );
  if (output.json) {
    output.resultJson(
      dryRun ? { dryRun, unpinned } : { dryRun, unpinned, delivery: deliveryJson(delivery) },
    );
    return EXIT.success;
  }
  const verb = dryRun ? 'Would unpin' : output.style.good('Unpinned');
  for (const target of unpinned) output.result(`${verb} ${target}.\n`);
  if (unpinned.length === 0 && !dryRun) output.result('Nothing was pinned.\n');
  if (delivery !== null) output.note(describeDelivery(delivery));
  return EXIT.success;
}
