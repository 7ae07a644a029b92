import type { AssembledInput } from '@mai/autopilot';
import { assembleSelectionInput } from '@mai/autopilot';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { EstimateReport } from '@mai/memory-estimator';
import { estimateFootprint, estimateFromFileSize } from '@mai/memory-estimator';
import { toSelectionPolicy } from '@mai/model-config';
import type { Selection } from '@mai/selector';
import { selectModel } from '@mai/selector';
import { environmentOf } from '../compose/footprints.js';
import { loadConfig } from '../compose/load-config.js';
import { createMachine } from '../compose/machine.js';
import { composePorts } from '../compose/ports.js';
import type { CommandContext } from '../context.js';
import type { KnownModel } from './open-model.js';

/** Whether a model fits this machine as asked for, and if not, what cheaper way to load it does. */
export interface FitsHere {
  readonly selection: Selection;
  readonly input: AssembledInput;
  /** What the way that fits gives up, in words; null where nothing is given up, or nothing fits. */
  readonly price: string | null;
}

/** Decides about this one model, with the ladder of cheaper ways that every decision has. */
export async function decideHere(
  name: string,
  known: KnownModel,
  { loadConfig: asked }: EstimateReport,
  context: CommandContext,
): Promise<FitsHere> {
  const { config } = await loadConfig(context);
  await using machine = createMachine(context);
  const policy = toSelectionPolicy(config.switching);
  const profile = {
    modelKey: name,
    displayName: name,
    tier: 'medium' as const,
    capabilities: [],
    contextLengthTokens: asked.contextLengthTokens,
    maxContextLengthTokens: null,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: {
      contextLengthTokens: asked.contextLengthTokens,
      parallelSequences: asked.parallelSequences,
      offloadRatio: null,
      kvCacheTypeK: asked.kvCacheTypeK,
      kvCacheTypeV: asked.kvCacheTypeV,
      flashAttention: asked.flashAttention,
      cpuExpertRatio: null,
    },
    ttlMs: null,
    downloaded: true,
  };
  const ports = composePorts({
    // What LM Studio has loaded counts as taken: a file is judged beside it.
    link: { kind: 'off', reason: new LMStudioError('UNREACHABLE', 'LM Studio is not asked.') },
    monitor: machine,
    catalog: { read: () => Promise.resolve({ chain: [profile], policy, variants: {} }) },
    estimator: () => ({
      estimate: ({ loadConfig: rung, resources }) => {
        const environment = environmentOf(resources);
        if (known.kind === 'size') {
          const footprint = estimateFromFileSize(known, rung, environment);
          return Promise.resolve({ footprint, guardrails: null });
        }
        const { batchTokens, ubatchTokens, kvUnified, swaFull } = asked;
        const footprint = estimateFootprint(known.header, rung, {
          ...environment,
          ...{ batchTokens, ubatchTokens, kvUnified, swaFull },
          visionProjector: known.visionProjector,
        });
        const refused = footprint.refusal !== null;
        return Promise.resolve({ footprint, guardrails: null, refused });
      },
    }),
  });
  const input = await assembleSelectionInput(ports, {}, { signal: context.signal });
  const selection = selectModel(input);
  const rung = input.candidates[0]?.loadOptions[selection.chosen?.optionIndex ?? 0];
  const cheaper = selection.chosen !== null && selection.chosen.optionIndex > 0;
  return { selection, input, price: cheaper ? (rung?.price ?? null) : null };
}
