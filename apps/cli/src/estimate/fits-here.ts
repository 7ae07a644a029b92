import type { Footprint, LoadConfig, Resources } from '@mai/memory-ledger';
import type { AssembledInput } from '@mai/autopilot';
import { assembleSelectionInput } from '@mai/autopilot';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { EstimateEnvironment, EstimateReport } from '@mai/memory-estimator';
import { CPU_ENVIRONMENT, estimateFootprint, estimateFromFileSize } from '@mai/memory-estimator';
import { toSelectionPolicy } from '@mai/model-config';
import type { Selection } from '@mai/selector';
import { selectModel } from '@mai/selector';
import { environmentOf } from '../compose/footprints.js';
import { loadConfig } from '../compose/load-config.js';
import { createMachine } from '../compose/machine.js';
import { composePorts } from '../compose/ports.js';
import type { CommandContext } from '../context.js';
import { describeTradeOff } from '../views/describe-concessions.js';
import { cheapestHere } from './cheapest-here.js';
import type { KnownModel } from './open-model.js';

/** Whether a model fits this machine as asked for, and if not, what cheaper way to load it does. */
export interface FitsHere {
  readonly selection: Selection;
  readonly resources: AssembledInput['resources'];
  /** What it takes here as asked for. */
  readonly footprint: Footprint | null;
  /** What the way that fits gives up, in words; null where nothing is given up, or nothing fits. */
  readonly price: string | null;
}

/**
 * Decides about this one model as it is asked for, and finds the cheapest way that fits if that does not: of
 * a header exactly, of a mere size on the ladder that every decision has.
 */
export async function decideHere(
  name: string,
  known: KnownModel,
  { loadConfig: asked }: EstimateReport,
  gpus: 'those-of-this-machine' | 'none',
  context: CommandContext,
): Promise<FitsHere> {
  const { config } = await loadConfig(context);
  await using machine = createMachine(context);
  const policy = toSelectionPolicy(config.switching);
  const wanted: LoadConfig = {
    contextLengthTokens: asked.contextLengthTokens,
    parallelSequences: asked.parallelSequences,
    offloadRatio: null,
    kvCacheTypeK: asked.kvCacheTypeK,
    kvCacheTypeV: asked.kvCacheTypeV,
    flashAttention: asked.flashAttention,
    cpuExpertRatio: null,
  };
  const profile = {
    modelKey: name,
    displayName: name,
    tier: 'medium' as const,
    capabilities: [],
    contextLengthTokens: asked.contextLengthTokens,
    maxContextLengthTokens: null,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: wanted,
    ttlMs: null,
    downloaded: true,
  };
  const environmentHere = (resources: Resources): EstimateEnvironment => {
    const { batchTokens, ubatchTokens, kvUnified, swaFull } = asked;
    return {
      ...(gpus === 'none' ? CPU_ENVIRONMENT : environmentOf(resources)),
      ...{ batchTokens, ubatchTokens, kvUnified, swaFull },
      visionProjector: known.kind === 'header' ? known.visionProjector : null,
    };
  };
  const ports = composePorts({
    // What LM Studio has loaded counts as taken: a file is judged beside it.
    link: { kind: 'off', reason: new LMStudioError('UNREACHABLE', 'LM Studio is not asked.') },
    monitor: machine,
    catalog: { read: () => Promise.resolve({ chain: [profile], policy, variants: {} }) },
    estimator: () => ({
      estimate: ({ loadConfig: rung, resources }) => {
        const environment = environmentHere(resources);
        const footprint =
          known.kind === 'size'
            ? estimateFromFileSize(known, rung, environment)
            : estimateFootprint(known.header, rung, environment);
        return Promise.resolve({ footprint, guardrails: null });
      },
    }),
  });
  const { signal } = context;
  const input = await assembleSelectionInput(
    ports,
    { tradeOffs: known.kind === 'size' },
    { signal },
  );
  const selection = selectModel(input);
  const [candidate] = input.candidates;
  const { resources } = input;
  const options = candidate?.loadOptions ?? [];
  const here = { resources, footprint: options[0]?.footprint ?? null };
  if (selection.chosen !== null || known.kind === 'size' || candidate === undefined) {
    const index = selection.chosen?.optionIndex ?? 0;
    const tradeOffs = options[index]?.tradeOffs.map(describeTradeOff) ?? [];
    return { ...here, selection, price: tradeOffs.length > 0 ? tradeOffs.join('; ') : null };
  }
  const cheaper = cheapestHere({
    header: known.header,
    loadConfig: wanted,
    environment: environmentHere(resources),
    pools: selection.pools,
    policy,
    resources,
  });
  if (cheaper === null) return { ...here, selection, price: null };
  const again = { ...input, candidates: [{ ...candidate, loadOptions: [cheaper] }] };
  return { ...here, selection: selectModel(again), price: cheaper.tradeOffs };
}
