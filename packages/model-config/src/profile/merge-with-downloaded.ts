import {
  baseKeyOf,
  DEFAULT_LOAD_CONFIG,
  type Capability,
  type LoadConfig,
  type Tier,
} from '@mai/memory-ledger';
import { deepFreeze } from '../freeze.js';
import type { ConfiguredModel, ModelConfig } from '../model-config.js';
import {
  deriveCapabilities,
  deriveContextLengthTokens,
  deriveDisplayName,
  deriveTier,
} from './derive.js';
import type { ConfiguredQuality } from '../quality/model-facts.js';
import type { DownloadedModel } from './downloaded-model.js';
import { indexDownloaded, namedKeys, selectedBy, withSelectedVariants } from './key-that-loads.js';

/**
 * The facts about a model that a decision needs: its configuration, completed by LM Studio's
 * facts.
 */
export interface ModelProfile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly tier: Tier;
  readonly capabilities: readonly Capability[];
  /** The user's own figures; `null`: none. `qualityOf` takes them. */
  readonly quality: ConfiguredQuality | null;
  /** The context length with which the model is loaded. */
  readonly contextLengthTokens: number;
  readonly maxContextLengthTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly minMemoryBytes: number | null;
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  readonly ttlMs: number | null;
  /**
   * The architecture that LM Studio or the file's header states. This and the next three fields are `null` where
   * they are not known, and for models that are not downloaded.
   */
  readonly architecture: string | null;
  /** The number of parameters as LM Studio prints it, such as `30B-A3B`. */
  readonly sizeLabel: string | null;
  /** The type of most weights, such as `Q4_K_M`. */
  readonly quantization: string | null;
  /** Whether the file says that the model can think before it answers. */
  readonly reasoning: boolean | null;
  readonly downloaded: boolean;
  /** Whether `models` has an entry for this key. */
  readonly configured: boolean;
  /** The names of the fields above that were derived, not configured. */
  readonly derivedFields: readonly string[];
}

/**
 * The profiles of all configured models, then of the variants that only a chain or a pin names, then of
 * the downloaded models that are not configured, the largest file first.
 *
 * A field that the file does not set is derived from LM Studio's facts and named in `derivedFields`. A variant
 * (`key@q4_k_m`) takes over the configuration of its model, except for the memory figures. Keys are those of
 * `withSelectedVariants`.
 */
export function mergeWithDownloaded(
  given: ModelConfig,
  downloaded: readonly DownloadedModel[],
): readonly ModelProfile[] {
  const config = withSelectedVariants(given, downloaded);
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
        configured.get(baseKeyOf(key)) ?? null,
        findDownloaded(key, library),
      ),
    ),
  );
}

interface Found {
  readonly model: DownloadedModel;
  /** `null` where LM Studio gives only the size of another variant. */
  readonly sizeBytes: number | null;
}

function findDownloaded(key: string, library: ReadonlyMap<string, DownloadedModel>): Found | null {
  const loaded = selectedBy(key, library);
  if (loaded !== null) return { model: loaded, sizeBytes: loaded.sizeBytes };
  const base = baseKeyOf(key);
  if (base === key) return null;
  const model = library.get(base);
  return model?.variants.includes(key) === true ? { model, sizeBytes: null } : null;
}

function toProfile(
  modelKey: string,
  own: ConfiguredModel | null,
  base: ConfiguredModel | null,
  found: Found | null,
): ModelProfile {
  const settings = own ?? base;
  const derivedFields: string[] = [];
  /**
   * The configured value, or else the derived value. Adds the field to `derivedFields` if the value is derived or
   * comes from a variant's model.
   */
  const choose = <Value>(
    field: string,
    value: Value | null | undefined,
    otherwise: Value,
  ): Value => {
    if (own === null || value == null) derivedFields.push(field);
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
    quality: settings?.quality ?? null,
    contextLengthTokens,
    maxContextLengthTokens,
    maxOutputTokens: settings?.maxOutputTokens ?? null,
    // The memory figures of another quantization would be wrong here, so they are not copied.
    minMemoryBytes: own?.minMemoryBytes ?? null,
    minVramBytes: own?.minVramBytes ?? null,
    loadConfig: { ...(settings?.loadConfig ?? DEFAULT_LOAD_CONFIG), contextLengthTokens },
    ttlMs: settings?.ttlMs ?? null,
    architecture: found?.model.architecture ?? null,
    sizeLabel: found?.model.parameters ?? null,
    quantization: found === null ? null : quantizationOf(modelKey, found),
    reasoning: found?.model.reasoning ?? null,
    downloaded: found !== null,
    configured: own !== null,
    derivedFields,
  };
}

/** LM Studio states the quantization of the selected variant only. The key of another variant names its own. */
function quantizationOf(modelKey: string, { model, sizeBytes }: Found): string | null {
  return sizeBytes === null
    ? modelKey.slice(baseKeyOf(modelKey).length + 1)
    : (model.quantization?.name ?? null);
}
