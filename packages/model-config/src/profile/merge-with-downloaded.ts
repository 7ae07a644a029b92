import { deepFreeze } from '../freeze.js';
import type {
  Capability,
  ConfiguredModel,
  LoadConfig,
  ModelConfig,
  Tier,
} from '../model-config.js';
import {
  deriveCapabilities,
  deriveContextLengthTokens,
  deriveDisplayName,
  deriveTier,
} from './derive.js';
import type { DownloadedModel } from './downloaded-model.js';

/** A model as a decision sees it: what is configured, completed by what LM Studio says. */
export interface ModelProfile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly tier: Tier;
  readonly capabilities: readonly Capability[];
  /** The context length to load with. */
  readonly contextLengthTokens: number;
  readonly maxContextLengthTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly minMemoryBytes: number | null;
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  readonly ttlMs: number | null;
  readonly downloaded: boolean;
  /** Whether the file says anything of this very key. */
  readonly configured: boolean;
  /** Names of the fields above that were derived rather than configured. */
  readonly derived: readonly string[];
}

/**
 * One profile for each configured model, for each variant that a chain or a pin names, and for each
 * downloaded model that is not configured; in this order, the last by size, large before small.
 * What the file leaves open is derived from LM Studio's facts and named in `derived`. A variant
 * (`key@q4_k_m`) takes over what is configured for its model, except the memory figures.
 */
export function mergeWithDownloaded(
  config: ModelConfig,
  downloaded: readonly DownloadedModel[],
): readonly ModelProfile[] {
  const library = indexDownloaded(downloaded);
  const configured = new Map(config.models.map((model) => [model.modelKey, model]));
  const keys = new Set(configured.keys());
  for (const key of namedKeys(config)) keys.add(key);
  for (const model of [...library.values()].sort((a, b) => b.sizeBytes - a.sizeBytes)) {
    keys.add(model.modelKey);
  }
  return deepFreeze(
    [...keys].map((key) =>
      toProfile(
        key,
        configured.get(key) ?? null,
        configured.get(modelOfVariant(key)) ?? null,
        findDownloaded(key, library),
      ),
    ),
  );
}

function namedKeys(config: ModelConfig): string[] {
  const inChains = Object.values(config.fallbackChains)
    .flat()
    .flatMap((entry) => (entry.kind === 'model' ? [entry.modelKey] : []));
  return [...inChains, ...config.pins];
}

/** By key. The same model may lie on several devices; the one on LM Studio's own machine counts. */
function indexDownloaded(
  downloaded: readonly DownloadedModel[],
): ReadonlyMap<string, DownloadedModel> {
  const library = new Map<string, DownloadedModel>();
  for (const model of downloaded) {
    if (!library.has(model.modelKey) || model.deviceIdentifier === null) {
      library.set(model.modelKey, model);
    }
  }
  return library;
}

interface Found {
  readonly model: DownloadedModel;
  /** `null` where LM Studio gives the size of another variant. */
  readonly sizeBytes: number | null;
}

function findDownloaded(key: string, library: ReadonlyMap<string, DownloadedModel>): Found | null {
  const exact = library.get(key);
  if (exact !== undefined) return { model: exact, sizeBytes: exact.sizeBytes };
  const base = modelOfVariant(key);
  if (base === key) {
    // Only variants are listed: LM Studio takes the key to mean one of them.
    const variant = [...library.values()].find((model) => modelOfVariant(model.modelKey) === key);
    return variant === undefined ? null : { model: variant, sizeBytes: variant.sizeBytes };
  }
  const model = library.get(base);
  if (model === undefined) return null;
  const selected =
    (model.selectedVariant ?? `${base}@${model.quantization?.name.toLowerCase() ?? ''}`) === key;
  if (selected) return { model, sizeBytes: model.sizeBytes };
  return model.variants.includes(key) ? { model, sizeBytes: null } : null;
}

function toProfile(
  modelKey: string,
  own: ConfiguredModel | null,
  base: ConfiguredModel | null,
  found: Found | null,
): ModelProfile {
  const settings = own ?? base;
  const derived: string[] = [];
  /** The configured value; else the derived one, which is noted. What a variant takes over is derived. */
  const choose = <Value>(
    field: string,
    value: Value | null | undefined,
    otherwise: Value,
  ): Value => {
    if (own === null || value == null) derived.push(field);
    return value ?? otherwise;
  };

  const maxContextLengthTokens = found?.model.maxContextLengthTokens ?? null;
  const displayName = choose(
    'displayName',
    settings?.displayName,
    found?.model.displayName ?? deriveDisplayName(modelKey),
  );
  const tier = choose(
    'tier',
    settings?.tier,
    deriveTier(
      found?.sizeBytes ?? settings?.minMemoryBytes ?? null,
      found?.model.parameters ?? null,
      modelKey,
    ),
  );
  const capabilities = choose(
    'capabilities',
    settings?.capabilities,
    deriveCapabilities({ modelKey, tier, downloaded: found?.model ?? null }),
  );
  const wanted = settings?.contextLengthTokens ?? null;
  const possible = maxContextLengthTokens ?? Number.POSITIVE_INFINITY;
  const contextLengthTokens = choose(
    'contextLengthTokens',
    wanted !== null && wanted <= possible ? wanted : null,
    wanted === null ? deriveContextLengthTokens(maxContextLengthTokens) : possible,
  );
  return {
    modelKey,
    displayName,
    description: settings?.description ?? null,
    tier,
    capabilities,
    contextLengthTokens,
    maxContextLengthTokens,
    maxOutputTokens: settings?.maxOutputTokens ?? null,
    // Figures of another quantization would be wrong, and unknown is better than wrong.
    minMemoryBytes: own?.minMemoryBytes ?? null,
    minVramBytes: own?.minVramBytes ?? null,
    loadConfig: { ...(settings?.loadConfig ?? LEFT_TO_LM_STUDIO), contextLengthTokens },
    ttlMs: settings?.ttlMs ?? null,
    downloaded: found !== null,
    configured: own !== null,
    derived,
  };
}

const LEFT_TO_LM_STUDIO: LoadConfig = {
  contextLengthTokens: null,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};

/** `key@q4_k_m` is a variant of `key`; any other key is its own. */
function modelOfVariant(key: string): string {
  const at = key.lastIndexOf('@');
  return at > 0 ? key.slice(0, at) : key;
}
