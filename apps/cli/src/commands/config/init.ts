import path from 'node:path';
import {
  describeOrigin,
  getModels,
  leftOutNotes,
  onOneLine,
  plural,
  unreachableNotes,
  writeNamedFile,
} from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai config init [FILE]`: writes a commented configuration for the downloaded models. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const initial = await host.initialConfig();
  const { text, modelKeys: models, leftOut, origin, ...left } = initial;
  const file = path.resolve(io.cwd, input.positionals[0] ?? 'models.yaml');
  const dryRun = input.has('dry-run');
  if (!dryRun) await writeNamedFile(file, text, input.has('force'));
  if (output.json) {
    output.resultJson({ dryRun, file, models, leftOut, ...left, text });
    return EXIT.success;
  }
  if (dryRun) output.result(text);
  else {
    const what =
      models.length === 0 ? 'the built-in configuration' : plural(models.length, 'model');
    output.result(`${output.style.good('Wrote')} ${file} with ${what}.\n`);
  }
  output.note(output.noteStyle.dim(describeOrigin(origin)));
  for (const modelKey of leftOut)
    output.warn(`${onOneLine(modelKey)} is left out: a configuration cannot contain this key.`);
  for (const note of leftOutNotes(initial)) output.warn(note);
  if (models.length === 0 && unreachableNotes(initial).length === 0)
    output.note(`${getModels(origin)} Then run it again${dryRun ? '' : ' with --force'}.`);
  return EXIT.success;
}
