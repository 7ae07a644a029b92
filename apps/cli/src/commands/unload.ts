import type { LMStudioClient, ResidentInstance } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { Input } from '../command-line/input.js';
import { suggest } from '../command-line/suggest.js';
import { requireLMStudio } from '../compose/connect-lmstudio.js';
import { unpinUnloadedByHand } from '../compose/hand-pins.js';
import { loadConfig } from '../compose/load-config.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { formatBytes } from '../terminal/format.js';
import { UsageError } from '../usage-error.js';
import { deliveryJson, describeDelivery } from '../views/watch/delivery.js';

/** `mai unload KEY-OR-IDENTIFIER`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  // Nothing is changed under a configuration that is missing or broken.
  await loadConfig(context);
  await using client = await requireLMStudio(context);
  const residents = await client.listResidents({ signal });
  const wanted = input.positionals[0] ?? '';
  const targets = chooseTargets(wanted, residents, client, input.has('all'));
  refuseBusy(targets, input.has('force'));

  const dryRun = input.has('dry-run');
  for (const { instanceIdentifier, modelKey, sizeBytes } of targets) {
    if (!dryRun) await client.unload(instanceIdentifier, { signal });
    if (output.json) continue;
    const mark = dryRun ? 'Would unload' : output.style.good('Unloaded');
    const key = instanceIdentifier === modelKey ? '' : ` (${modelKey})`;
    output.result(`${mark} ${instanceIdentifier}${key}, ${formatBytes(sizeBytes)} on disk.\n`);
  }
  const delivery = dryRun
    ? null
    : await unpinUnloadedByHand(
        context,
        client,
        targets.map(({ instanceIdentifier }) => instanceIdentifier),
      );
  if (delivery !== null && !output.json) {
    output.note(output.noteStyle.dim(`Its pin is taken back. ${describeDelivery(delivery)}`));
  }
  if (output.json) {
    output.resultJson({
      dryRun,
      unloaded: targets.map(({ instanceIdentifier, modelKey }) => ({
        instanceIdentifier,
        modelKey,
      })),
      delivery: deliveryJson(delivery),
    });
  }
  return EXIT.success;
}

/** The instance of that name, else the instances of that model; several need `--all`. */
function chooseTargets(
  wanted: string,
  residents: readonly ResidentInstance[],
  client: LMStudioClient,
  all: boolean,
): readonly ResidentInstance[] {
  const named = residents.filter(({ instanceIdentifier }) => instanceIdentifier === wanted);
  const ofModel = residents.filter(({ modelKey }) => modelKey === wanted);
  if (all && ofModel.length > 0) return ofModel;
  if (named.length > 0) return named;
  if (ofModel.length > 1) {
    throw new UsageError(
      `${ofModel.length} instances of ${wanted} are loaded: ${list(ofModel)}. Name one of them, or add --all.`,
    );
  }
  if (ofModel.length === 1) return ofModel;
  throw notLoaded(wanted, residents, client);
}

function notLoaded(
  wanted: string,
  residents: readonly ResidentInstance[],
  client: LMStudioClient,
): LMStudioError {
  const names = residents.flatMap(({ instanceIdentifier, modelKey }) => [
    instanceIdentifier,
    modelKey,
  ]);
  const guess = suggest(wanted, names);
  const next =
    residents.length === 0
      ? 'Nothing is loaded.'
      : guess === null
        ? `Loaded: ${list(residents)}.`
        : `Did you mean ${guess}?`;
  return new LMStudioError('INSTANCE_NOT_FOUND', `${wanted} is not loaded. ${next}`, {
    baseUrl: client.baseUrl,
    instanceIdentifier: wanted,
    suggestions: guess === null ? [] : [guess],
  });
}

function refuseBusy(targets: readonly ResidentInstance[], force: boolean): void {
  const busy = targets.filter(
    ({ activity, queued }) => (activity !== null && activity !== 'idle') || (queued ?? 0) > 0,
  );
  if (busy.length === 0 || force) return;
  throw new LMStudioError(
    'LOAD_REFUSED',
    `${list(busy)} is generating; unloading now would cut its request off. Try again when it is idle, or add --force.`,
  );
}

function list(residents: readonly ResidentInstance[]): string {
  return residents.map(({ instanceIdentifier }) => instanceIdentifier).join(', ');
}
