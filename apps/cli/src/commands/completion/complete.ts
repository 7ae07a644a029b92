import { NAME_KINDS } from '../../arguments/choices.js';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai complete WHAT`: names for a shell, one per line. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const kind = NAME_KINDS.find((one) => one === input.positionals[0]) ?? 'instance';
  await using host = await openHostOf(context);
  for (const name of await host.names(kind)) context.output.result(`${name}\n`);
  return EXIT.success;
}
