import { indexModel } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../estimate/environment.js';
import { defaultContext, planLoad } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { cacheLayout } from '../parts/kv-cache.js';
import type { KvCacheType, LoadConfig } from '../settings/load-config.js';
import type { MemoryBudget } from './budget.js';
import { longestContext } from './longest-context.js';
import { mostGpuLayers } from './most-layers.js';
import { tryPlan } from './plan-search.js';

/** One thing that is given up. */
export interface Degradation {
  readonly setting: 'kvCacheType' | 'flashAttention' | 'contextLengthTokens' | 'offloadRatio';
  readonly from: string;
  readonly to: string;
}

/** A configuration that fits, and what it gives up; nothing where the model fits as asked. */
export interface DegradedFit {
  readonly loadConfig: LoadConfig;
  readonly changes: readonly Degradation[];
  readonly footprint: FootprintEstimate;
}

/**
 * The cheapest change that makes a model fit a budget, or null where nothing does. In this order: an 8-bit
 * cache, a shorter context (not below the minimum, 2048 tokens unless told otherwise), fewer layers on the
 * GPU, a 4-bit cache; then these together.
 */
export function cheapestFit(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
  budget: MemoryBudget,
  options: { readonly minContextLengthTokens?: number } = {},
): DegradedFit | null {
  const index = indexModel(header);
  const context = loadConfig.contextLengthTokens ?? defaultContext(index);
  const min = Math.min(options.minContextLengthTokens ?? 2048, context);
  const describe = describer(loadConfig, context);
  const asItIs = (config: LoadConfig): DegradedFit | null => {
    const { estimate, fits } = tryPlan(index, planLoad(index, config, environment), budget);
    return fits ? { loadConfig: config, changes: describe(config), footprint: estimate } : null;
  };
  const shorter = (config: LoadConfig): DegradedFit | null => {
    const found = longestContext(header, config, environment, budget, {
      maxContextLengthTokens: context,
    });
    if (found === null || found.contextLengthTokens < min) return null;
    const { contextLengthTokens, footprint } = found;
    const changed = { ...config, contextLengthTokens };
    return { loadConfig: changed, changes: describe(changed), footprint };
  };
  const fewerLayers = (config: LoadConfig): DegradedFit | null => {
    if (environment.gpus.length === 0) return null;
    const found = mostGpuLayers(header, config, environment, budget);
    if (found === null) return null;
    const changed = { ...config, offloadRatio: found.offloadRatio };
    return { loadConfig: changed, changes: describe(changed), footprint: found.footprint };
  };
  const plain = loadConfig;
  // Eight bits are hardly noticed, four are.
  const eight = withCache(loadConfig, 'q8_0');
  const four = withCache(loadConfig, 'q4_0');
  const shortest = (config: LoadConfig) => ({ ...config, contextLengthTokens: min });
  return (
    asItIs(plain) ??
    asItIs(eight) ??
    shorter(plain) ??
    shorter(eight) ??
    fewerLayers(plain) ??
    fewerLayers(eight) ??
    asItIs(four) ??
    shorter(four) ??
    fewerLayers(four) ??
    fewerLayers(shortest(plain)) ??
    fewerLayers(shortest(eight)) ??
    fewerLayers(shortest(four))
  );
}

/** Keys and values in a type that takes less, each where it does; quantized values need flash attention. */
function withCache(loadConfig: LoadConfig, type: KvCacheType): LoadConfig {
  const [keys, values] = cacheTypes(loadConfig);
  return {
    ...loadConfig,
    kvCacheTypeK: smaller(keys, type),
    kvCacheTypeV: smaller(values, type),
    flashAttention: true,
  };
}

/** LM Studio keeps what nobody asks for as f16. */
function cacheTypes({ kvCacheTypeK, kvCacheTypeV }: LoadConfig): [KvCacheType, KvCacheType] {
  return [kvCacheTypeK ?? 'f16', kvCacheTypeV ?? 'f16'];
}

function smaller(one: KvCacheType, other: KvCacheType): KvCacheType {
  const bytes = (type: KvCacheType) => {
    const { blockBytes, blockElements } = cacheLayout(type);
    return blockBytes / blockElements;
  };
  return bytes(other) < bytes(one) ? other : one;
}

function describer(
  asked: LoadConfig,
  context: number,
): (config: LoadConfig) => readonly Degradation[] {
  const cache = (config: LoadConfig) => [...new Set(cacheTypes(config))].join(' and ');
  const attention = ({ flashAttention }: LoadConfig) => (flashAttention === false ? 'off' : 'on');
  const offload = (config: LoadConfig) => `${Math.round((config.offloadRatio ?? 1) * 100)} %`;
  const length = (config: LoadConfig) => String(config.contextLengthTokens ?? context);
  return (config) => {
    const all: readonly Degradation[] = [
      { setting: 'kvCacheType', from: cache(asked), to: cache(config) },
      { setting: 'flashAttention', from: attention(asked), to: attention(config) },
      { setting: 'contextLengthTokens', from: length(asked), to: length(config) },
      { setting: 'offloadRatio', from: offload(asked), to: offload(config) },
    ];
    return all.filter(({ from, to }) => from !== to);
  };
}
