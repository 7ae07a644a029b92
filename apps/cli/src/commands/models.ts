import { CAPABILITIES } from '@mai/memory-ledger';
import type { ModelProfile } from '@mai/model-config';
import type { Input } from '../command-line/input.js';
import { judgeModels } from '../compose/judge-models.js';
import { openSession } from '../compose/session.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { renderModels } from '../views/selection/models-view.js';

/** `mai models`: each model judged on its own, as if nothing else of Mai's were wanted. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  await using session = await openSession(context);
  const tier = input.text('tier');
  const required = input.listOf('require', CAPABILITIES) ?? [];
  const [library, catalog] = await Promise.all([session.library(), session.catalog()]);
  const profiles = catalog.profiles.filter(
    (profile) =>
      (profile.downloaded || input.has('all')) &&
      (tier === null || profile.tier === tier) &&
      required.every((capability) => profile.capabilities.includes(capability)),
  );
  const contextLengthTokens = input.integer('context', 1);
  const wanted =
    contextLengthTokens === null
      ? profiles
      : profiles.map((profile) => withContext(profile, contextLengthTokens));
  const models = await judgeModels({ ports: session.ports, catalog, library }, wanted, signal);
  if (output.json) {
    output.resultJson({
      origin: library.origin,
      models: models.map(({ profile, ...rest }) => ({ ...profile, ...rest })),
      incomplete: library.incomplete,
      unreadable: library.unreadable,
    });
    return EXIT.success;
  }
  const filtered = models.length === 0 && library.models.length > 0;
  output.result(filtered ? 'No model matches.\n' : renderModels(models, output));
  output.note(output.noteStyle.dim(library.origin));
  if (library.models.length === 0 && !input.has('all')) {
    output.note(
      output.noteStyle.dim(
        'Get one in LM Studio, or with `lms get`; `mai models --all` lists those that are configured.',
      ),
    );
  }
  for (const { path, why } of library.incomplete) output.warn(`${path} is left out: ${why}.`);
  for (const { path, code } of library.unreadable) {
    output.warn(`${path} can't be read (${code}). Check its permissions.`);
  }
  return EXIT.success;
}

function withContext(profile: ModelProfile, contextLengthTokens: number): ModelProfile {
  return {
    ...profile,
    contextLengthTokens,
    loadConfig: { ...profile.loadConfig, contextLengthTokens },
  };
}
