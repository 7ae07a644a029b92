import { candidateSources, isModelConfigError } from '@mai/model-config';
import { configOptions, describeSource, loadConfig } from '../compose/load-config.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';

/** `mai config path`: the file in use on stdout, the places that were looked at on stderr. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const places = candidateSources(configOptions(context));
  const file = await fileInUse(context);
  const used = places.findIndex((place) => place.file === file);
  if (output.json) {
    const source = places[used]?.kind ?? 'built-in';
    output.resultJson({ file, source, places });
    return EXIT.success;
  }
  output.result(`${file ?? 'built-in'}\n`);
  places.forEach((place, index) => {
    const passedOver = used < 0 || index < used;
    const state = index === used ? 'in use' : passedOver ? 'not there' : 'not looked at';
    output.note(output.noteStyle.dim(`${place.file}: ${state} (${describeSource(place)})`));
  });
  return EXIT.success;
}

/** A configuration that is wrong is in use all the same: finding it is the point of this command. */
async function fileInUse(context: CommandContext): Promise<string | null> {
  try {
    return (await loadConfig(context)).source.file;
  } catch (error) {
    if (!isModelConfigError(error) || error.code !== 'CONFIG_INVALID') throw error;
    context.output.warn('It has problems; `mai config check` lists them.');
    return error.file;
  }
}
