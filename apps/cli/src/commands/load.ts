import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import { IDENTIFIER_PREFIX } from '@mai/autopilot';
import type { DownloadedModel, LMStudioClient, LoadFirstResult } from '@mai/lmstudio-adapter';
import type { ModelConfig } from '@mai/model-config';
import type { Input } from '../command-line/input.js';
import { requireLMStudio } from '../compose/connect-lmstudio.js';
import { pinLoadedByHand } from '../compose/hand-pins.js';
import { loadConfig } from '../compose/load-config.js';
import type { Delivery } from '../compose/tell-autopilot.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { formatBytes, formatCount, formatDuration } from '../terminal/format.js';
import type { Output } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';
import { describeMismatch } from '../views/selection/describe-mismatch.js';
import { deliveryJson, describeDelivery } from '../views/watch/delivery.js';

/** `mai load KEY [FALLBACK...]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal, globals } = context;
  const asked = askedSettings(input);
  const identifier = input.text('identifier');
  const ttlMs = input.durationMs('ttl');
  // Nothing is changed under a configuration that is missing or broken.
  const { config } = await loadConfig(context);
  const settingsFor = (modelKey: string) => settingsOf(config, modelKey, asked);
  await using client = await requireLMStudio(context);

  const models = await Promise.all(
    input.positionals.map((key) => modelToLoad(client, key, signal)),
  );
  if (input.has('dry-run')) {
    await describe(
      client,
      models.map(({ modelKey }) => ({ modelKey, loadConfig: settingsFor(modelKey) })),
      context,
    );
    return EXIT.success;
  }

  const startedMs = context.io.nowMs();
  const bars = models.map(({ modelKey, sizeBytes }) =>
    lazily(() => output.progress(`Loading ${modelKey}`, sizeBytes > 0 ? sizeBytes : null)),
  );
  try {
    const requests = models.map(({ modelKey, kind }, index) => ({
      modelKey,
      kind,
      loadConfig: settingsFor(modelKey),
      identifier: identifier ?? identifierOf(modelKey),
      ttlMs,
      signal,
      timeoutMs: globals.timeoutMs ?? undefined,
      // What is loaded already is at its end at once: there is nothing to show.
      onProgress: (ratio: number) =>
        (ratio < 1 ? bars[index]?.get() : bars[index]?.existing())?.update(ratio),
    }));
    const [only, second] = requests;
    // A single key fails with its own error rather than as a list of one.
    const loaded =
      only !== undefined && second === undefined
        ? { ...(await client.load(only)), failures: [] }
        : await client.loadFirst(requests);
    for (const bar of bars) bar.existing()?.clear();
    const tookMs = context.io.nowMs() - startedMs;
    const delivery = await pinLoadedByHand(context, client, loaded.instance.instanceIdentifier);
    printLoaded({ ...loaded, tookMs, delivery }, output);
    return EXIT.success;
  } catch (error) {
    for (const bar of bars) bar.existing()?.clear();
    throw error;
  }
}

/** The model that a key names, or the one quantization of it. */
async function modelToLoad(
  client: LMStudioClient,
  key: string,
  signal: AbortSignal,
): Promise<DownloadedModel> {
  const { model, variants } = await client.modelInfo(key, { signal });
  if (!model.variants.includes(key)) return model;
  return variants.find(({ modelKey }) => modelKey === key) ?? { ...model, modelKey: key };
}

/** By the prefix everybody knows that it is not a stranger's. */
function identifierOf(modelKey: string): string {
  return `${IDENTIFIER_PREFIX}${modelKey}`;
}

/** A value that is made when it is first asked for. */
function lazily<Value>(make: () => Value) {
  let value: Value | null = null;
  return { get: () => (value ??= make()), existing: () => value };
}

/** What the options say; without one of them it is the configuration's. */
function askedSettings(input: Input): Partial<LoadConfig> {
  const contextLengthTokens = input.integer('context', 1);
  const offloadRatio = offloadRatioOf(input.text('gpu-offload'));
  return {
    ...(contextLengthTokens === null ? {} : { contextLengthTokens }),
    ...(offloadRatio === null ? {} : { offloadRatio }),
  };
}

/** As the model is configured, or as LM Studio itself loads one that is not. */
function settingsOf(
  { models }: ModelConfig,
  modelKey: string,
  asked: Partial<LoadConfig>,
): LoadConfig {
  const configured = models.find((model) => model.modelKey === modelKey);
  return {
    ...(configured?.loadConfig ?? DEFAULT_LOAD_CONFIG),
    contextLengthTokens: configured?.contextLengthTokens ?? null,
    ...asked,
  };
}

function offloadRatioOf(text: string | null): number | null {
  if (text === null) return null;
  if (text === 'max') return 1;
  if (text === 'off') return 0;
  const ratio = Number(text);
  if (text.trim() === '' || !(ratio >= 0 && ratio <= 1)) {
    throw new UsageError(
      `--gpu-offload takes a number from 0 to 1, max or off, not ${JSON.stringify(text)}.`,
    );
  }
  return ratio;
}

async function describe(
  client: LMStudioClient,
  loads: readonly { readonly modelKey: string; readonly loadConfig: LoadConfig }[],
  { output, signal }: CommandContext,
): Promise<void> {
  const estimates = await Promise.all(
    loads.map(async ({ modelKey, loadConfig }) => ({
      modelKey,
      loadConfig,
      estimate: await client.estimate(modelKey, loadConfig, { signal }),
    })),
  );
  if (output.json) {
    output.resultJson({ dryRun: true, candidates: estimates });
    return;
  }
  estimates.forEach(({ modelKey, estimate }, index) => {
    const verdict =
      estimate === null
        ? "LM Studio can't estimate it"
        : `LM Studio expects ${formatBytes(estimate.totalBytes)} and would ${
            estimate.passesGuardrails ? 'load' : 'refuse'
          } it`;
    output.result(`${index === 0 ? 'Would load' : 'or else'} ${modelKey}: ${verdict}.\n`);
  });
}

interface Loaded extends Omit<LoadFirstResult, 'index'> {
  readonly tookMs: number;
  /** Null where it was pinned before, or could not be. */
  readonly delivery: Delivery | null;
}

function printLoaded(loaded: Loaded, output: Output): void {
  const { instance, verified, reused, tookMs, delivery } = loaded;
  const failures = loaded.failures.map(({ modelKey, error }) => ({
    modelKey,
    message: error instanceof Error ? error.message : String(error),
  }));
  if (output.json) {
    output.resultJson({
      ...{ dryRun: false, instance, mismatches: verified, reused, tookMs, failures },
      delivery: deliveryJson(delivery),
    });
    return;
  }
  for (const { message } of failures) output.warn(message);
  const context =
    instance.contextLengthTokens === null
      ? ''
      : `, ${formatCount(instance.contextLengthTokens)} tokens of context`;
  const name = [instance.modelKey, identifierOf(instance.modelKey)].includes(
    instance.instanceIdentifier,
  )
    ? ''
    : ` as ${instance.instanceIdentifier}`;
  const what = `${instance.modelKey}${name}`;
  output.result(
    reused
      ? `${output.style.good('Loaded already')}: ${what}${context}.\n`
      : `${output.style.good('Loaded')} ${what} in ${formatDuration(tookMs)}${context}.\n`,
  );
  for (const mismatch of verified) output.warn(describeMismatch(mismatch));
  if (delivery !== null) {
    output.note(
      output.noteStyle.dim(`It stays until \`mai unload\`. ${describeDelivery(delivery)}`),
    );
  }
}
