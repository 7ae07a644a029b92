import { describeSource } from '@mai/host';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai config path`: the file in use on stdout, the other searched places on stderr. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const { places, file, invalid } = await host.configPlaces();
  if (invalid) output.warn('The configuration has faults; `mai config check` lists them.');
  const used = places.findIndex((place) => place.file === file);
  if (output.json) {
    const source = places[used]?.kind ?? 'built-in';
    output.resultJson({ file, source, places });
    return EXIT.success;
  }
  output.result(`${file ?? 'built-in'}\n`);
  places.forEach((place, index) => {
    const missing = used < 0 || index < used;
    const state = index === used ? 'in use' : missing ? 'does not exist' : 'not read';
    output.note(output.noteStyle.dim(`${place.file}: ${state} (${describeSource(place)})`));
  });
  return EXIT.success;
}
