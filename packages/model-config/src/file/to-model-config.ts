import { deepFreeze } from '../freeze.js';
import type {
  Capability,
  ChainEntry,
  ConfiguredModel,
  LoadConfig,
  ModelConfig,
  SimulatedModel,
  SwitchingConfig,
  Tier,
} from '../model-config.js';
import type {
  LoadSection,
  ModelConfigFile,
  ModelSection,
  SimulateSection,
  SwitchingSection,
} from './model-config-file.js';
import { BYTES_PER_GIB, parseDurationMs, parseSizeBytes } from './quantities.js';
import { SWITCHING_DEFAULTS } from './switching-defaults.js';

/** Converts a valid file to bytes, milliseconds and ratios, and freezes the result. */
export function toModelConfig(file: ModelConfigFile): ModelConfig {
  const fallbackChains = Object.create(null) as Record<string, readonly ChainEntry[]>;
  for (const [name, entries] of Object.entries(file.fallback_chains ?? {})) {
    fallbackChains[name] = entries.map(toChainEntry);
  }
  // Without a chain of its own a file still says enough: any model that can chat, the largest first.
  fallbackChains['default'] ??= [{ kind: 'downloaded', capability: 'chat', tier: null }];
  return deepFreeze<ModelConfig>({
    version: 1,
    models: file.models.map(toConfiguredModel),
    fallbackChains,
    switching: toSwitchingConfig(file.switching ?? {}),
    rules: (file.rules ?? []).map((rule) => ({
      when: { process: rule.when.process },
      then: { tier: rule.then.tier },
    })),
    pins: [...(file.pins ?? [])],
  });
}

function toConfiguredModel(model: ModelSection): ConfiguredModel {
  const contextLengthTokens = model.context_window ?? null;
  return {
    modelKey: model.key,
    displayName: model.display_name ?? null,
    description: model.description ?? null,
    tier: model.category ?? null,
    capabilities: model.capabilities === undefined ? null : [...model.capabilities],
    contextLengthTokens,
    maxOutputTokens: model.max_output_tokens ?? null,
    minMemoryBytes: gibToBytes(model.min_memory_gb),
    minVramBytes: gibToBytes(model.min_vram_gb),
    loadConfig: toLoadConfig(model.load ?? {}, contextLengthTokens),
    ttlMs: durationMs(model.load?.ttl),
    simulate: model.simulate === undefined ? null : toSimulatedModel(model.simulate),
  };
}

function toLoadConfig(load: LoadSection, contextLengthTokens: number | null): LoadConfig {
  const cache = load.kv_cache ?? null;
  return {
    contextLengthTokens,
    parallelSequences: load.parallel ?? null,
    offloadRatio: toRatio(load.gpu_offload),
    kvCacheTypeK: typeof cache === 'object' ? (cache?.k ?? null) : cache,
    kvCacheTypeV: typeof cache === 'object' ? (cache?.v ?? null) : cache,
    flashAttention: load.flash_attention ?? null,
    cpuExpertRatio: toRatio(load.cpu_experts),
  };
}

function toRatio(share: 'max' | 'off' | number | undefined): number | null {
  if (share === undefined) return null;
  if (typeof share === 'number') return share;
  return share === 'max' ? 1 : 0;
}

function toSimulatedModel(simulate: SimulateSection): SimulatedModel {
  const vramBytes = sizeBytes(simulate.vram);
  return {
    footprintBytes: sizeBytes(simulate.footprint),
    vramBytes,
    loadMs: simulate.load_seconds === undefined ? null : Math.round(simulate.load_seconds * 1000),
    quality: simulate.quality ?? null,
    rungs: (simulate.rungs ?? []).map((rung) => ({
      footprintBytes: required(sizeBytes(rung.footprint)),
      vramBytes: sizeBytes(rung.vram),
      quality: rung.quality,
    })),
  };
}

function toChainEntry(entry: string): ChainEntry {
  if (entry.startsWith('chain:')) return { kind: 'chain', name: entry.slice('chain:'.length) };
  if (entry.startsWith('downloaded:')) {
    // Validated against the lists of capabilities and tiers before this runs.
    const [, capability, tier] = entry.split(':') as [string, Capability, Tier?];
    return { kind: 'downloaded', capability, tier: tier ?? null };
  }
  return { kind: 'model', modelKey: entry };
}

function toSwitchingConfig(section: SwitchingSection): SwitchingConfig {
  const given = Object.entries(section).filter(([, value]) => value !== undefined);
  const switching = { ...SWITCHING_DEFAULTS, ...Object.fromEntries(given) } as Required<{
    [Field in keyof SwitchingSection]: Exclude<SwitchingSection[Field], undefined>;
  }>;
  return {
    memoryLimitRatio: switching.memory_percent / 100,
    vramLimitRatio: switching.vram_percent / 100,
    cpuLimitRatio: switching.cpu_percent / 100,
    hardLimitRatio: switching.hard_limit_percent / 100,
    unifiedHardLimitRatio: switching.unified_hard_limit_percent / 100,
    upgradeBelowRatioMin: switching.upgrade_below_percent_min / 100,
    minHeadroomBytes: required(sizeBytes(switching.min_headroom)),
    dwellMs: required(durationMs(switching.dwell)),
    coolDownMs: required(durationMs(switching.cool_down)),
    idle: switching.idle,
    drainDeadlineMs: required(durationMs(switching.drain_deadline)),
    foreign: switching.foreign,
    foreignIdleMs: required(durationMs(switching.foreign_idle)),
  };
}

const gibToBytes = (gib: number | undefined): number | null =>
  gib === undefined ? null : Math.round(gib * BYTES_PER_GIB);
const sizeBytes = (text: string | undefined): number | null =>
  text === undefined ? null : parseSizeBytes(text);
const durationMs = (text: string | undefined): number | null =>
  text === undefined ? null : parseDurationMs(text);

function required(value: number | null): number {
  if (value === null) throw new Error('a quantity passed validation that cannot be converted');
  return value;
}
