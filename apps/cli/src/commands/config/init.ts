import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describeOrigin, leftOutNotes, onOneLine, plural, unreachableNotes } from '@mai/host';
import type { Input } from '../../command-line/input.js';
import type { CommandContext } from '../../context.js';
import { codeOf, EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';

/** `mai config init [FILE]`: writes a commented configuration for the downloaded models. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const initial = await host.initialConfig();
  const { text, modelKeys: models, leftOut, origin, ...left } = initial;
  const file = path.resolve(io.cwd, input.positionals[0] ?? 'models.yaml');

  const dryRun = input.has('dry-run');
  if (!dryRun) await write(file, text, input.has('force'));
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
  for (const modelKey of leftOut) {
    output.warn(
      `${onOneLine(modelKey)} is left out, because a configuration can't contain this model key.`,
    );
  }
  for (const note of leftOutNotes(initial)) output.warn(note);
  if (models.length === 0 && unreachableNotes(initial).length === 0) {
    output.note(
      `No model is downloaded. Get one in LM Studio or with \`lms get\`, then run this command again${dryRun ? '' : ' with --force'}.`,
    );
  }
  return EXIT.success;
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    // The flag `wx` fails if the file exists, so that no file is lost.
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const code = codeOf(error);
    throw new UsageError(
      code === 'EEXIST'
        ? `${file} exists already. Add --force to replace it, or name another file.`
        : `${file} can't be written (${code ?? 'unknown error'}). Name another place.`,
      { cause: error },
    );
  }
}
