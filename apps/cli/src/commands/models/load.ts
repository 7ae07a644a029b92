import {
  deliveryJson,
  describeDelivery,
  describeEstimatedLoad,
  describeMismatch,
  formatCount,
  formatDuration,
} from '@mai/host';
import type { HandLoaded, Host, LoadRequest } from '@mai/host';
import type { LoadConfig } from '@mai/memory-ledger';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { errorJson, EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import type { Output } from '../../terminal/output.js';
import type { Progress } from '../../terminal/progress.js';
import { UsageError } from '../../usage-error.js';

/** `mai load KEY...`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const request: LoadRequest = {
    models: input.positionals,
    changes: changesOf(input),
    identifier: input.text('identifier'),
    ttlMs: input.durationMs('ttl'),
  };
  await using host = await openHostOf(context);
  if (input.has('dry-run')) {
    await describe(host, request, output);
    return EXIT.success;
  }
  const startedMs = io.nowMs();
  const bars = new Map<string, Progress>();
  try {
    const loaded = await host.load(request, {
      outlivesHost: true,
      onProgress: ({ modelKey, sizeBytes, ratio }) => {
        // A resident reports full progress at once, so a bar would be useless.
        if (ratio < 1 && !bars.has(modelKey)) {
          bars.set(modelKey, output.progress(`Loading ${modelKey}`, sizeBytes));
        }
        bars.get(modelKey)?.update(ratio);
      },
    });
    for (const bar of bars.values()) bar.clear();
    printLoaded(loaded, io.nowMs() - startedMs, output);
    return EXIT.success;
  } finally {
    for (const bar of bars.values()) bar.clear();
  }
}

/** The settings that options change. The other settings come from the configuration. */
function changesOf(input: Input): Partial<LoadConfig> {
  const contextLengthTokens = input.integer('context', 1);
  const offloadRatio = offloadRatioOf(input.text('gpu-offload'));
  return {
    ...(contextLengthTokens === null ? {} : { contextLengthTokens }),
    ...(offloadRatio === null ? {} : { offloadRatio }),
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

async function describe(host: Host, request: LoadRequest, output: Output): Promise<void> {
  const candidates = await host.estimateLoad(request);
  if (output.json) {
    output.resultJson({ dryRun: true, candidates });
    return;
  }
  candidates.forEach((candidate, index) => {
    output.result(
      `${index === 0 ? 'Would load' : 'If that fails, would load'} ${candidate.modelKey}: ${describeEstimatedLoad(candidate)}.\n`,
    );
  });
}

function printLoaded(loaded: HandLoaded, tookMs: number, output: Output): void {
  const { instance, verified, reused, delivery, pinError } = loaded;
  const failures = loaded.failures.map(({ modelKey, error }) => {
    return { modelKey, message: errorJson(error).message };
  });
  if (pinError !== null) output.warn(errorJson(pinError).message);
  if (output.json) {
    output.resultJson({
      dryRun: false,
      instance,
      mismatches: verified,
      reused,
      tookMs,
      failures,
      delivery: deliveryJson(delivery),
    });
    return;
  }
  for (const { message } of failures) output.warn(message);
  const context =
    instance.contextLengthTokens === null
      ? ''
      : `, ${formatCount(instance.contextLengthTokens)} tokens of context`;
  const name = isNamed(instance) ? ` as ${instance.instanceIdentifier}` : '';
  const what = `${instance.modelKey}${name}`;
  output.result(
    reused
      ? `${output.style.good('Already loaded')}: ${what}${context}.\n`
      : `${output.style.good('Loaded')} ${what} in ${formatDuration(tookMs)}${context}.\n`,
  );
  for (const mismatch of verified) output.warn(describeMismatch(mismatch));
  if (delivery !== null) {
    output.note(
      output.noteStyle.dim(`It stays loaded until \`mai unload\`. ${describeDelivery(delivery)}`),
    );
  }
}

/** Whether the identifier was chosen by a person. Mai's own identifiers end with the model key. */
function isNamed({ instanceIdentifier, modelKey }: HandLoaded['instance']): boolean {
  return instanceIdentifier !== modelKey && !instanceIdentifier.endsWith(`/${modelKey}`);
}
