import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isConfigurableModelKey, renderModelConfig } from '@mai/model-config';
import type { Input } from '../command-line/input.js';
import { withLink } from '../compose/connect-lmstudio.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { plural } from '../terminal/format.js';
import { UsageError } from '../usage-error.js';

/** `mai config init [FILE]`: a commented file from what is downloaded. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const { libraryOf } = await import('../compose/knowledge.js');
  const library = await withLink(context, (link) => libraryOf(link, context));
  const downloaded = [...new Set(library.models.map(({ modelKey }) => modelKey))];
  const models = downloaded.filter(isConfigurableModelKey);
  const text = await renderModelConfig(library.models, { schema: null });
  const file = path.resolve(io.cwd, input.positionals[0] ?? 'models.yaml');

  const dryRun = input.has('dry-run');
  if (!dryRun) await write(file, text, input.has('force'));
  if (output.json) {
    output.resultJson({ dryRun, file, models, text });
    return EXIT.success;
  }
  if (dryRun) output.result(text);
  else
    output.result(
      `${output.style.good('Wrote')} ${file} with ${models.length === 0 ? 'the built-in configuration' : plural(models.length, 'model')}.\n`,
    );
  output.note(output.noteStyle.dim(library.origin));
  for (const modelKey of downloaded) {
    if (isConfigurableModelKey(modelKey)) continue;
    output.warn(`${modelKey} is left out: a configuration can't name such a key.`);
  }
  if (models.length === 0) {
    output.note(
      `Nothing is downloaded: get a model in LM Studio (or \`lms get\`), then run this again${dryRun ? '' : ' with --force'}.`,
    );
  }
  return EXIT.success;
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    // Exclusive creation, so that nothing can slip in between a check and the write.
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `${file} is there already. Add --force to replace it, or name another file.`
        : `${file} can't be written (${code ?? 'unknown error'}). Name another place.`,
      { cause: error },
    );
  }
}
