import type { TradeOff } from '@mai/autopilot';
import type { Footprint, LoadConfig, Resources } from '@mai/memory-ledger';
import { LIMIT, measurePools } from '@mai/memory-ledger';
import type {
  CheapestFit,
  EstimateEnvironment,
  EstimateReport,
  EstimateSettings,
} from '@mai/memory-estimator';
import {
  cheapestFit,
  CPU_ENVIRONMENT,
  estimateFootprint,
  estimateFromFileSize,
  estimateMlx,
} from '@mai/memory-estimator';
import { toSelectionPolicy } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import { environmentFor, mlxEnvironmentFor, type LoadEngine } from '../engine/load-engine.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { fitBeside, type CheaperLoad, type ModelFit } from '../model-list/model-fit.js';
import type { KnownModel } from './open-model.js';

/** Whether a model fits this machine now. */
export interface FitHere extends ModelFit {
  /** The load configuration that was judged. Its context length is not null. */
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  /**
   * For a model that does not fit: the best cheaper load configuration that fits, and the pools after
   * that load. Null where the model fits, and where no load configuration fits.
   */
  readonly cheaper: (CheaperLoad & Pick<ModelFit, 'pools'>) | null;
}

/**
 * Judges whether a model fits beside all residents. Null where the settings name a GPU backend, or where
 * the model is on another machine: then this machine's memory says nothing about the fit.
 */
export async function judgeAlone(
  known: KnownModel,
  { loadConfig: asked }: EstimateReport,
  { gpuBackend }: EstimateSettings,
  engine: LoadEngine,
  { monitor }: HostParts,
  context: HostContext,
): Promise<FitHere | null> {
  if (gpuBackend !== null && gpuBackend !== 'none') return null;
  if (known.kind === 'size' && !known.isHere) return null;
  const policy = toSelectionPolicy((await loadConfig(context)).config.switching);
  const resources = await monitor.port.snapshot({ signal: context.signal });
  const { batchTokens, ubatchTokens, kvUnified, swaFull } = asked;
  const environment: EstimateEnvironment = {
    ...(gpuBackend === 'none'
      ? { ...CPU_ENVIRONMENT, profile: engine.profile }
      : environmentFor(resources, engine)),
    batchTokens,
    ubatchTokens,
    kvUnified,
    swaFull,
    visionProjector: known.kind === 'header' ? known.visionProjector : null,
    isEmbedding: known.kind === 'header' ? known.isEmbedding : null,
  };
  const wanted: LoadConfig = {
    contextLengthTokens: asked.contextLengthTokens,
    parallelSequences: asked.parallelSequences,
    offloadRatio: null,
    kvCacheTypeK: asked.kvCacheTypeK,
    kvCacheTypeV: asked.kvCacheTypeV,
    flashAttention: asked.flashAttention,
    cpuExpertRatio: null,
  };
  const estimate = (one: LoadConfig): Footprint => {
    if (known.kind === 'size') return estimateFromFileSize(known, one, environment);
    if (known.kind === 'header') return estimateFootprint(known.header, one, environment);
    const mlx = mlxEnvironmentFor(resources, engine);
    return estimateMlx(known.model, one, { ...mlx, ...environment });
  };
  const judge = (footprint: Footprint): ModelFit => fitBeside(footprint, resources, policy);
  const fit = { ...judge(estimate(wanted)), loadConfig: wanted, resources };
  if (fit.rejection === null) return { ...fit, cheaper: null };
  const cheaper =
    known.kind !== 'header'
      ? shorterContexts(asked.contextLengthTokens)
          .map((toTokens): CheaperLoad => {
            const loadConfig = { ...wanted, contextLengthTokens: toTokens };
            const fromTokens = asked.contextLengthTokens;
            return {
              loadConfig,
              footprint: estimate(loadConfig),
              tradeOffs: [{ kind: 'shorter-context', fromTokens, toTokens }],
            };
          })
          .find(({ footprint }) => judge(footprint).rejection === null)
      : withTradeOffs(
          cheapestFit(known.header, wanted, environment, {
            pools: measurePools(resources, [], policy),
            devices: resources,
            growth: policy.growth,
            limit: LIMIT,
            size: 'upper-end',
          }),
        );
  return {
    ...fit,
    cheaper: cheaper ? { ...cheaper, pools: judge(cheaper.footprint).pools } : null,
  };
}

/** The same fit, with its trade-offs in the form that decisions use. */
export function withTradeOffs(fit: CheapestFit | null): CheaperLoad | null {
  return fit === null ? null : { ...fit, tradeOffs: fit.tradeOffs.map(tradeOffOf) };
}

function tradeOffOf(change: CheapestFit['tradeOffs'][number]): TradeOff {
  switch (change.setting) {
    case 'contextLengthTokens':
      return { kind: 'shorter-context', fromTokens: change.from, toTokens: change.to };
    case 'kvCacheTypes': {
      const { from, to } = change;
      return {
        kind: 'kv-cache-type',
        fromK: from.keys,
        fromV: from.values,
        toK: to.keys,
        toV: to.values,
      };
    }
    case 'flashAttention':
      return { kind: 'flash-attention' };
    case 'offloadRatio':
      return { kind: 'less-offload', ratio: change.to };
  }
}

/** Half of a context length, a quarter and so on, longest first, down to 2048 tokens. */
function shorterContexts(tokens: number): readonly number[] {
  const shorter = [];
  for (let half = Math.floor(tokens / 2); half >= 2048; half = Math.floor(half / 2)) {
    shorter.push(half);
  }
  return shorter;
}
