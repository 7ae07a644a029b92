import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import type { DownloadedModel, LMStudioClient, ResourceEstimate } from '@mai/lmstudio-adapter';
import type { ModelConfig } from '@mai/model-config';

/** A load that a person asks for. */
export interface LoadRequest {
  /**
   * Model keys in order of preference. The first model that loads is used. `key@variant` names a
   * quantization.
   */
  readonly models: readonly string[];
  /** Settings that replace those of each model's configuration. */
  readonly changes?: Partial<LoadConfig>;
  /** Instance identifier. Null, the default: `mai/` and the model key. */
  readonly identifier?: string | null;
  /** Idle milliseconds after which LM Studio unloads the instance. Null, the default: never. */
  readonly ttlMs?: number | null;
}

/** A model and its load configuration. */
export interface PlannedLoad {
  readonly model: DownloadedModel;
  readonly loadConfig: LoadConfig;
}

/** A planned load with LM Studio's own estimate; null where LM Studio gives no estimate. */
export interface EstimatedLoad {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly estimate: ResourceEstimate | null;
}

/** Looks up the models and their load configurations. @throws LMStudioError `MODEL_NOT_FOUND` */
export function planLoads(
  client: LMStudioClient,
  config: ModelConfig,
  { models, changes = {} }: LoadRequest,
  signal: AbortSignal,
): Promise<readonly PlannedLoad[]> {
  return Promise.all(
    models.map(async (key) => {
      const model = await findModel(client, key, signal);
      return { model, loadConfig: loadConfigOf(config, model.modelKey, changes) };
    }),
  );
}

/** Asks LM Studio to estimate each load. */
export function estimateLoads(
  client: LMStudioClient,
  loads: readonly PlannedLoad[],
  signal: AbortSignal,
): Promise<readonly EstimatedLoad[]> {
  return Promise.all(
    loads.map(async ({ model: { modelKey }, loadConfig }) => ({
      modelKey,
      loadConfig,
      estimate: await client.estimate(modelKey, loadConfig, { signal }),
    })),
  );
}

/** The model that a key names. For `key@variant`, the model in this quantization. */
async function findModel(
  client: LMStudioClient,
  key: string,
  signal: AbortSignal,
): Promise<DownloadedModel> {
  const { model, variants } = await client.modelInfo(key, { signal });
  if (!model.variants.includes(key)) return model;
  return variants.find(({ modelKey }) => modelKey === key) ?? { ...model, modelKey: key };
}

/** The configured load settings; LM Studio's defaults for a model that is not configured. */
function loadConfigOf(
  { models }: ModelConfig,
  modelKey: string,
  changes: Partial<LoadConfig>,
): LoadConfig {
  const configured = models.find((model) => model.modelKey === modelKey);
  return {
    ...(configured?.loadConfig ?? DEFAULT_LOAD_CONFIG),
    contextLengthTokens: configured?.contextLengthTokens ?? null,
    ...changes,
  };
}
