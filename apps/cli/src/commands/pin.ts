import type { JournalState, Pin } from '@mai/autopilot';
import type { Input } from '../command-line/input.js';
import { findAutopilotFiles } from '../compose/autopilot-files.js';
import { withLink } from '../compose/connect-lmstudio.js';
import { withPin } from '../compose/pins.js';
import { readJournal, tellAutopilot } from '../compose/tell-autopilot.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { formatDuration } from '../terminal/format.js';
import { deliveryJson, describeDelivery } from '../views/watch/delivery.js';

/** `mai pin [KEY-OR-IDENTIFIER]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const files = await findAutopilotFiles(context);
  const [target] = input.positionals;
  if (target === undefined) {
    printPins(await readJournal(files, context), context);
    return EXIT.success;
  }
  await checkTarget(target, context);
  const pin: Pin = { target, reason: 'pin', sinceMs: io.nowMs() };
  if (input.has('dry-run')) {
    if (output.json) output.resultJson({ dryRun: true, pin });
    else output.result(`Would pin ${target}.\n`);
    return EXIT.success;
  }
  const { journal, delivery } = await tellAutopilot(context, files, (state) => withPin(state, pin));
  if (output.json) {
    output.resultJson({ dryRun: false, pins: journal.pins, delivery: deliveryJson(delivery) });
  } else {
    const done = delivery === null ? 'Was pinned already' : 'Pinned';
    output.result(`${output.style.good(done)}: ${target} is not unloaded until \`mai unpin\`.\n`);
    if (delivery !== null) output.note(describeDelivery(delivery));
  }
  return EXIT.success;
}

/** Where LM Studio can be asked, a name that means nothing to it is a mistake. */
async function checkTarget(target: string, context: CommandContext): Promise<void> {
  const { signal, output } = context;
  await withLink(context, async (link) => {
    if (link.kind === 'off') {
      output.warn(`LM Studio is off: whether there is a model ${target} was not checked.`);
      return;
    }
    const residents = await link.client.listResidents({ signal });
    if (residents.some(({ instanceIdentifier }) => instanceIdentifier === target)) return;
    // Throws MODEL_NOT_FOUND with the keys that come close.
    await link.client.modelInfo(target, { signal });
  });
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
