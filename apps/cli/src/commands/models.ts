import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { describeOrigin } from '../views/selection/describe-origin.js';
import { renderModels } from '../views/selection/models-view.js';

/** `mai models`: lists the models. Each is judged on its own. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const all = input.has('all');
  await using host = await openHostOf(context);
  const list = await host.models({
    tier: input.choice('tier', TIERS),
    capabilities: input.listOf('require', CAPABILITIES) ?? [],
    contextLengthTokens: input.integer('context', 1),
    all,
  });
  const { models, downloadedCount, incomplete, unreadable } = list;
  const origin = describeOrigin(list.origin);
  if (output.json) {
    output.resultJson({
      origin,
      models: models.map(({ profile, ...rest }) => ({ ...profile, ...rest })),
      incomplete,
      unreadable,
    });
    return EXIT.success;
  }
  const filtered = models.length === 0 && downloadedCount > 0;
  output.result(filtered ? 'No model matches.\n' : renderModels(models, output));
  output.note(output.noteStyle.dim(origin));
  if (downloadedCount === 0 && !all) {
    output.note(
      output.noteStyle.dim(
        'Get a model in LM Studio or with `lms get`. `mai models --all` also lists the configured models.',
      ),
    );
  }
  for (const { path, why } of incomplete) output.warn(`${path} is left out: ${why}.`);
  for (const { path, code } of unreadable) {
    output.warn(`${path} can't be read (${code}). Check its permissions.`);
  }
  return EXIT.success;
}
