import { configSchema } from '@mai/host';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';

/** `mai config schema`: the JSON Schema of models.yaml. */
export async function run({ output }: CommandContext): Promise<ExitCode> {
  output.result(`${JSON.stringify(await configSchema(), null, 2)}\n`);
  output.note(
    output.noteStyle.dim(
      'Save this schema beside models.yaml, and start models.yaml with: # yaml-language-server: $schema=FILE',
    ),
  );
  return EXIT.success;
}
