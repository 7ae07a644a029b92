import type { KvCacheType, LoadConfig } from '@mai/memory-ledger';
import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../load/environment.js';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import { planLoad } from '../load/plan-load.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { cacheLayout } from '../parts/context-buffers.js';
import type { MemoryBudget } from './budget.js';
import { longestContext } from './longest-context.js';
import { mostGpuLayers } from './most-gpu-layers.js';
import { tryPlan } from './try-plan.js';

/** Types that the keys and the values of a KV cache are stored in. */
export interface KvCacheTypes {
  readonly keys: KvCacheType;
  readonly values: KvCacheType;
}

/** A setting that a load gives up, with the value that was asked for (`from`) and the value that fits (`to`). */
export type TradeOff =
  | { readonly setting: 'kvCacheTypes'; readonly from: KvCacheTypes; readonly to: KvCacheTypes }
  /** Quantized values need flash attention. */
  | { readonly setting: 'flashAttention'; readonly from: boolean; readonly to: boolean }
  | { readonly setting: 'contextLengthTokens'; readonly from: number; readonly to: number }
  /** Share of the layers on the GPU, 0 to 1. */
  | { readonly setting: 'offloadRatio'; readonly from: number; readonly to: number };

/** A load configuration that fits, and its trade-offs. */
export interface CheapestFit {
  readonly loadConfig: LoadConfig;
  /** Empty if the model fits with the given settings. */
  readonly tradeOffs: readonly TradeOff[];
  readonly footprint: FootprintEstimate;
}

/** The values in force of the settings that a trade-off may change. */
interface Values extends KvCacheTypes {
  readonly flashAttention: boolean;
  readonly contextLengthTokens: number;
  readonly offloadRatio: number;
}

/**
 * The cheapest change that makes a model fit a budget; `null` where no change does.
 *
 * Changes are tried in this order: an 8-bit KV cache, a shorter context, fewer layers on the GPU, a 4-bit KV
 * cache, and then combinations of them.
 *
 * @param options.minContextLengthTokens The shortest context that may be offered. Default: 2048, or the requested
 * context if that is shorter.
 * @throws RangeError for a figure that no load can have, and for a shortest context below 1.
 */
export function cheapestFit(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
  budget: MemoryBudget,
  options: { readonly minContextLengthTokens?: number } = {},
): CheapestFit | null {
  const index = indexModel(header);
  const valuesOf = (config: LoadConfig) => valuesInForce(index, config, environment);
  const asked = valuesOf(loadConfig);
  const { contextLengthTokens: contextTokens } = asked;
  const { minContextLengthTokens = 2048 } = options;
  if (!(minContextLengthTokens >= 1)) {
    throw new RangeError(
      `minContextLengthTokens must be at least 1, not ${minContextLengthTokens}.`,
    );
  }
  const minTokens = Math.min(minContextLengthTokens, contextTokens);
  const fit = (config: LoadConfig, footprint: FootprintEstimate): CheapestFit => ({
    loadConfig: config,
    tradeOffs: tradeOffs(asked, valuesOf(config)),
    footprint,
  });
  const unchanged = (config: LoadConfig): CheapestFit | null => {
    const { estimate, fits } = tryPlan(index, planLoad(index, config, environment), budget);
    return fits ? fit(config, estimate) : null;
  };
  const shorter = (config: LoadConfig): CheapestFit | null => {
    const found = longestContext(header, config, environment, budget, {
      maxContextLengthTokens: contextTokens,
    });
    if (found === null || found.contextLengthTokens < minTokens) return null;
    const { contextLengthTokens, footprint } = found;
    return fit({ ...config, contextLengthTokens }, footprint);
  };
  const fewerLayers = (config: LoadConfig): CheapestFit | null => {
    if (environment.gpus.length === 0) return null;
    const found = mostGpuLayers(header, config, environment, budget);
    if (found === null) return null;
    return fit({ ...config, offloadRatio: found.offloadRatio }, found.footprint);
  };
  // An 8-bit cache hardly lowers the quality of answers. A 4-bit cache lowers it noticeably.
  const plain = loadConfig;
  const eight = withCache(loadConfig, asked, 'q8_0');
  const four = withCache(loadConfig, asked, 'q4_0');
  const shortest = (config: LoadConfig) => ({ ...config, contextLengthTokens: minTokens });
  return (
    unchanged(plain) ??
    unchanged(eight) ??
    shorter(plain) ??
    shorter(eight) ??
    fewerLayers(plain) ??
    fewerLayers(eight) ??
    unchanged(four) ??
    shorter(four) ??
    fewerLayers(four) ??
    fewerLayers(shortest(plain)) ??
    fewerLayers(shortest(eight)) ??
    fewerLayers(shortest(four))
  );
}

/** Stores keys and values in this type. A key or value type that is already smaller stays. */
function withCache(
  loadConfig: LoadConfig,
  { keys, values }: KvCacheTypes,
  type: KvCacheType,
): LoadConfig {
  return {
    ...loadConfig,
    kvCacheTypeK: smaller(keys, type),
    kvCacheTypeV: smaller(values, type),
    flashAttention: true,
  };
}

function smaller(one: KvCacheType, other: KvCacheType): KvCacheType {
  const bytes = (type: KvCacheType) => {
    const { blockBytes, blockElements } = cacheLayout(type);
    return blockBytes / blockElements;
  };
  return bytes(other) < bytes(one) ? other : one;
}

function valuesInForce(
  index: ModelIndex,
  config: LoadConfig,
  environment: EstimateEnvironment,
): Values {
  const { settings } = planLoad(index, config, environment);
  return {
    keys: settings.kvCacheTypeK,
    values: settings.kvCacheTypeV,
    flashAttention: settings.flashAttention,
    contextLengthTokens: config.contextLengthTokens ?? settings.contextLengthTokens,
    offloadRatio: config.offloadRatio ?? 1,
  };
}

function tradeOffs(from: Values, to: Values): readonly TradeOff[] {
  const changes: TradeOff[] = [];
  if (from.keys !== to.keys || from.values !== to.values) {
    const types = ({ keys, values }: Values) => ({ keys, values });
    changes.push({ setting: 'kvCacheTypes', from: types(from), to: types(to) });
  }
  if (from.flashAttention !== to.flashAttention) {
    changes.push({
      setting: 'flashAttention',
      from: from.flashAttention,
      to: to.flashAttention,
    });
  }
  for (const setting of ['contextLengthTokens', 'offloadRatio'] as const) {
    if (from[setting] !== to[setting])
      changes.push({ setting, from: from[setting], to: to[setting] });
  }
  return changes;
}
