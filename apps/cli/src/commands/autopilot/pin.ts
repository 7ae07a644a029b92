import { deliveryJson, describeDelivery, formatDuration } from '@mai/host';
import type { JournalState } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai pin [KEY-OR-IDENTIFIER]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const [target] = input.positionals;
  if (target === undefined) {
    printPins(await host.journal(), context);
    return EXIT.success;
  }
  const dryRun = input.has('dry-run');
  const { journal, delivery } = await host.pin(target, { dryRun });
  if (dryRun) {
    const pin = { target, reason: 'pin', sinceMs: io.nowMs() };
    if (output.json) output.resultJson({ dryRun, pin });
    else output.result(`Would pin ${target}.\n`);
  } else if (output.json) {
    output.resultJson({ dryRun, pins: journal.pins, delivery: deliveryJson(delivery) });
  } else {
    const done = delivery === null ? 'Already pinned' : 'Pinned';
    output.result(`${output.style.good(done)}: ${target} is not unloaded until \`mai unpin\`.\n`);
    if (delivery !== null) output.note(describeDelivery(delivery));
  }
  return EXIT.success;
}

function printPins({ pins }: JournalState, { io, output }: CommandContext): void {
  if (output.json) {
    output.resultJson({ pins });
    return;
  }
  if (pins.length === 0) {
    output.result('Nothing is pinned.\n');
    return;
  }
  for (const { target, reason, sinceMs } of pins) {
    const by = reason === 'load' ? ', by `mai load`' : '';
    const age = formatDuration(Math.max(0, io.nowMs() - sinceMs));
    output.result(`${target}  ${output.style.dim(`pinned for ${age}${by}`)}\n`);
  }
}
