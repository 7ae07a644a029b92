import { CAPABILITIES, DEFAULT_SELECTION_POLICY, TIERS, type LoadConfig } from '@mai/memory-ledger';
import type {
  ChainEntry,
  ConfiguredModel,
  FleetConfig,
  ModelConfig,
  SimulatedModel,
  SwitchingConfig,
} from '../model-config.js';
import { withBuiltInModels } from '../built-in/with-built-in-models.js';
import { deepFreeze } from '../freeze.js';
import type {
  FleetSection,
  LoadSection,
  ModelConfigFile,
  ModelSection,
  SimulateSection,
  SwitchingSection,
} from '../format/model-config-file.js';
import {
  BYTES_PER_GIB,
  parseDurationMs,
  parseHours,
  parseSizeBytes,
} from '../format/quantities.js';
import {
  DEFAULT_DRAIN_DEADLINE_MS,
  DEFAULT_IDLE,
  FLEET_DEFAULTS,
} from '../format/switching-defaults.js';
import type { ConfiguredQuality, QualityUse } from '../quality/model-facts.js';

/** Converts a valid file to bytes, milliseconds and ratios, and freezes the result. */
export function toModelConfig(content: ModelConfigFile): ModelConfig {
  const file = withBuiltInModels(content);
  // The object has no prototype, so that inherited names such as `constructor` find no chain.
  const fallbackChains: Record<string, readonly ChainEntry[]> = {};
  Object.setPrototypeOf(fallbackChains, null);
  for (const [name, entries] of Object.entries(file.fallback_chains ?? {})) {
    fallbackChains[name] = entries.map(toChainEntry);
  }
  // A file without a default chain prefers the largest model that can chat.
  fallbackChains['default'] ??= [{ kind: 'downloaded', capability: 'chat', tier: null }];
  return deepFreeze<ModelConfig>({
    version: 1,
    models: (file.models ?? []).map(toConfiguredModel),
    fallbackChains,
    switching: toSwitchingConfig(file.switching ?? {}),
    rules: (file.rules ?? []).map((rule) => ({
      when: { process: rule.when.process },
      then: { tier: rule.then.tier },
    })),
    pins: [...(file.pins ?? [])],
    modelFolders: [...(file.model_folders ?? [])],
    gateway: {
      aliases: Object.entries(file.gateway?.aliases ?? {}).map(([pattern, target]) => ({
        pattern,
        target,
      })),
    },
    fleet: toFleetConfig(file.fleet ?? {}),
    runtime: file.runtime ?? null,
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
    quality: toQuality(model.quality),
    contextLengthTokens,
    maxOutputTokens: model.max_output_tokens ?? null,
    minMemoryBytes: gibToBytes(model.min_memory_gb),
    minVramBytes: gibToBytes(model.min_vram_gb),
    loadConfig: toLoadConfig(model.load ?? {}, contextLengthTokens),
    ttlMs: durationMs(model.load?.ttl),
    simulate: model.simulate === undefined ? null : toSimulatedModel(model.simulate),
  };
}

function toQuality(quality: ModelSection['quality']): ConfiguredQuality | null {
  if (quality === undefined) return null;
  const of = (use: QualityUse): number | null =>
    typeof quality === 'number' ? quality : (quality[use] ?? null);
  return {
    general: of('general'),
    chat: of('chat'),
    coding: of('coding'),
    reasoning: of('reasoning'),
    tools: of('tools'),
    vision: of('vision'),
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

function toRatio(share: LoadSection['gpu_offload']): number | null {
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
      footprintBytes: converted(rung.footprint, parseSizeBytes(rung.footprint)),
      vramBytes: sizeBytes(rung.vram),
      quality: rung.quality,
    })),
  };
}

function toChainEntry(entry: string): ChainEntry {
  if (entry.startsWith('chain:')) return { kind: 'chain', name: entry.slice('chain:'.length) };
  if (entry.startsWith('downloaded:')) {
    const [, capabilityName, tierName] = entry.split(':');
    return {
      kind: 'downloaded',
      // The validation has checked the names of capability and tier.
      capability: known(CAPABILITIES, capabilityName),
      tier: tierName === undefined ? null : known(TIERS, tierName),
    };
  }
  return { kind: 'model', modelKey: entry };
}

function toSwitchingConfig(section: SwitchingSection): SwitchingConfig {
  const fallback = DEFAULT_SELECTION_POLICY;
  return {
    memoryLimitRatio: percentToRatio(section.memory_percent) ?? fallback.memoryLimitRatio,
    vramLimitRatio: percentToRatio(section.vram_percent) ?? fallback.vramLimitRatio,
    cpuLimitRatio: percentToRatio(section.cpu_percent) ?? fallback.cpuLimitRatio,
    hardLimitRatio: percentToRatio(section.hard_limit_percent) ?? fallback.hardLimitRatio,
    unifiedHardLimitRatio:
      percentToRatio(section.unified_hard_limit_percent) ?? fallback.unifiedHardLimitRatio,
    upgradeBelowRatioMin:
      percentToRatio(section.upgrade_below_percent_min) ?? fallback.upgradeBelowRatioMin,
    minHeadroomBytes: sizeBytes(section.min_headroom) ?? fallback.minHeadroomBytes,
    dwellMs: durationMs(section.dwell) ?? fallback.dwellMs,
    coolDownMs: durationMs(section.cool_down) ?? fallback.coolDownMs,
    idle: section.idle ?? DEFAULT_IDLE,
    drainDeadlineMs: durationMs(section.drain_deadline) ?? DEFAULT_DRAIN_DEADLINE_MS,
    foreign: section.foreign ?? fallback.foreign,
    foreignIdleMs: durationMs(section.foreign_idle) ?? fallback.foreignIdleMs,
    growth: section.growth ?? fallback.growth,
    goal: section.goal ?? fallback.goal,
    minTokensPerSecond: section.min_tokens_per_second ?? fallback.minTokensPerSecond,
  };
}

function toFleetConfig({ labels, chains, require, guests }: FleetSection): FleetConfig {
  const hours = guests?.hours;
  return {
    labels: { ...labels },
    chains: chains === undefined ? null : [...chains],
    requiredLabels: { ...require },
    guests: {
      memoryRatio: (guests?.memory_percent ?? FLEET_DEFAULTS.memory_percent) / 100,
      hours: hours === undefined ? null : converted(hours, parseHours(hours)),
    },
  };
}

const percentToRatio = (percent: number | undefined): number | null =>
  percent === undefined ? null : percent / 100;
const gibToBytes = (gib: number | undefined): number | null =>
  gib === undefined ? null : Math.round(gib * BYTES_PER_GIB);
const sizeBytes = (text: string | undefined): number | null =>
  text === undefined ? null : converted(text, parseSizeBytes(text));
const durationMs = (text: string | undefined): number | null =>
  text === undefined ? null : converted(text, parseDurationMs(text));

function converted<Value>(text: string, value: Value | null): Value {
  if (value === null) throw new Error(`"${text}" passed validation, but cannot be converted.`);
  return value;
}

function known<Name extends string>(names: readonly Name[], name: string | undefined): Name {
  const found = names.find((one) => one === name);
  if (found === undefined) throw new Error(`"${name}" passed validation, but is not known.`);
  return found;
}
