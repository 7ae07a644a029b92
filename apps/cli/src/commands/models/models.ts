import { describeOrigin, getModels, leftOutNotes, unreachableNotes } from '@mai/host';
import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { renderModels } from '../../views/selection/models-view.js';

/** `mai models`: lists the models. Each verdict is about that model alone. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const list = await host.models({
    tiers: input.listOf('tier', TIERS),
    capabilities: input.listOf('require', CAPABILITIES) ?? [],
    contextLengthTokens: input.integer('context', 1),
    all: input.has('all'),
  });
  const { models, downloadedCount, unusable, unreadable, missingFolder, missingModelFolders } =
    list;
  if (output.json) {
    output.resultJson({
      origin: describeOrigin(list.origin),
      models: models.map(({ profile, ...rest }) => ({ ...profile, ...rest })),
      unusable,
      unreadable,
      missingFolder,
      missingModelFolders,
    });
    return EXIT.success;
  }
  const gone = downloadedCount === 0 && (unusable.length > 0 || unreachableNotes(list).length > 0);
  const none = gone ? 'No usable model was found.\n' : 'No model matches.\n';
  const hidden = models.length === 0 && (gone || downloadedCount > 0);
  output.result(hidden ? none : renderModels(models, output));
  output.note(output.noteStyle.dim(describeOrigin(list.origin, list.speedGap)));
  if (downloadedCount === 0 && !gone && !input.has('all')) {
    const advice = `${getModels(list.origin)} \`mai models --all\` also lists the configured models.`;
    output.note(output.noteStyle.dim(advice));
  }
  for (const note of leftOutNotes(list)) output.warn(note);
  return EXIT.success;
}
