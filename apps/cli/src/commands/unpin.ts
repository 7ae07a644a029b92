import { suggest } from '@mai/host';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { UsageError } from '../usage-error.js';
import { deliveryJson, describeDelivery } from '../views/watch/delivery.js';

/** `mai unpin KEY-OR-IDENTIFIER`, `mai unpin --all`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const { pins } = await host.journal();
  const targets = chooseTargets(
    input,
    pins.map(({ target }) => target),
  );
  if (input.has('dry-run')) {
    if (output.json) output.resultJson({ dryRun: true, unpinned: targets });
    else output.result(targets.map((target) => `Would unpin ${target}.\n`).join(''));
    return EXIT.success;
  }
  const { delivery } = await host.unpin(targets);
  if (output.json) {
    output.resultJson({ dryRun: false, unpinned: targets, delivery: deliveryJson(delivery) });
  } else {
    for (const target of targets) output.result(`${output.style.good('Unpinned')} ${target}.\n`);
    if (targets.length === 0) output.result('Nothing was pinned.\n');
    if (delivery !== null) output.note(describeDelivery(delivery));
  }
  return EXIT.success;
}

function chooseTargets(input: Input, pinned: readonly string[]): readonly string[] {
  if (input.has('all')) return pinned;
  const [wanted] = input.positionals;
  if (wanted === undefined) {
    if (pinned.length <= 1) return pinned;
    throw new UsageError(
      `${pinned.length} pins are set: ${pinned.join(', ')}. Name one of them, or add --all.`,
    );
  }
  if (pinned.includes(wanted)) return [wanted];
  const guess = suggest(wanted, pinned);
  const next =
    pinned.length === 0
      ? 'Nothing is pinned.'
      : guess === null
        ? `Pinned: ${pinned.join(', ')}.`
        : `Did you mean ${guess}?`;
  throw new UsageError(`${wanted} is not pinned. ${next}`);
}
