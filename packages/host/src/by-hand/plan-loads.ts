import {
  baseKeyOf,
  DEFAULT_LOAD_CONFIG,
  type Footprint,
  type LoadConfig,
} from '@mai/memory-ledger';
import type { DownloadedModel, ResourceEstimate } from '@mai/lmstudio-adapter';
import type { ModelConfig } from '@mai/model-config';
import { keyThatLoads, mergeWithDownloaded } from '@mai/model-config';
import type { Downloads } from '../downloads/downloads-list.js';
import { withReason } from '../downloads/model-not-found.js';
import type { ActiveLink } from '../runtime/connect-runtime.js';
import type { RuntimeClient } from '../runtime/runtime-client.js';
import type { Session } from '../session/session.js';

/** A load that a person asks for. */
export interface LoadRequest {
  /**
   * Model keys in order of preference. The first model that loads is used. `key@variant` names a
   * quantization.
   */
  readonly models: readonly string[];
  /** Settings that replace the settings of each model's configuration. */
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

/** A planned load with the memory that it would take. */
export interface EstimatedLoad {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  /** LM Studio's own estimate; null where LM Studio gives none, or is not the runtime. */
  readonly estimate: ResourceEstimate | null;
  /** Mai's estimate for the embedded engine, which gives no estimate itself. Null where LM Studio is the runtime. */
  readonly footprint: Footprint | null;
}

/**
 * Looks up the models and their load configurations. A model gets the same context length as in the list of models.
 *
 * @param listDownloads - lists the downloaded models. Called only for a name that the runtime does not list.
 * @throws LMStudioError or LlamaRuntimeError `MODEL_NOT_FOUND`, with the reason where the file is known but not offered
 */
export async function planLoads(
  client: RuntimeClient,
  config: ModelConfig,
  { models, changes = {} }: LoadRequest,
  listDownloads: () => Promise<Downloads>,
  signal: AbortSignal,
): Promise<readonly PlannedLoad[]> {
  const { models: downloaded } = await client.listDownloaded({ signal });
  const profiles = mergeWithDownloaded(config, downloaded);
  const isListed = (name: string): boolean =>
    downloaded.some(({ modelKey, variants }) => modelKey === name || variants.includes(name));
  return Promise.all(
    models.map(async (name) => {
      const key = isListed(name) ? name : await quantizationOf(name, client, listDownloads, signal);
      const { base, model } = await findModel(client, key, signal).catch(async (error: unknown) => {
        throw await withReason(error, name, listDownloads);
      });
      const profile = profiles.find(({ modelKey }) => modelKey === base.modelKey);
      const { loadConfig } = profile ?? { loadConfig: DEFAULT_LOAD_CONFIG };
      const contextLengthTokens = profile?.contextLengthTokens ?? null;
      return { model, loadConfig: { ...loadConfig, contextLengthTokens, ...changes } };
    }),
  );
}

/**
 * The key that a name means where LM Studio lists only quantizations of the model: a quantization that is loaded, or else
 * the one of `keyThatLoads`.
 */
async function quantizationOf(
  name: string,
  client: RuntimeClient,
  listDownloads: () => Promise<Downloads>,
  signal: AbortSignal,
): Promise<string> {
  const residents = await client.listResidents({ signal });
  const loaded = residents.find(
    (one) => one.deviceIdentifier === null && baseKeyOf(one.modelKey) === name,
  );
  return loaded?.modelKey ?? keyThatLoads(name, (await listDownloads()).listed);
}

/** Estimates each load: LM Studio by itself, the embedded engine by Mai. */
export async function estimateLoads(
  { ports }: Pick<Session, 'ports'>,
  { runtime, client }: ActiveLink,
  loads: readonly PlannedLoad[],
  signal: AbortSignal,
): Promise<readonly EstimatedLoad[]> {
  if (runtime === 'lmstudio') {
    return Promise.all(
      loads.map(async ({ model: { modelKey }, loadConfig }) => ({
        modelKey,
        loadConfig,
        footprint: null,
        estimate: await client.estimate(modelKey, loadConfig, { signal }),
      })),
    );
  }
  const resources = await ports.monitor.snapshot({ signal });
  return Promise.all(
    loads.map(async ({ model: { modelKey }, loadConfig }) => {
      const question = { modelKey, loadConfig, resources, deviceIdentifier: null };
      const { footprint } = await ports.estimator.estimate(question, { signal });
      return { modelKey, loadConfig, estimate: null, footprint };
    }),
  );
}

/** The model that a key names. For `key@variant`, also the model in this quantization. */
async function findModel(
  client: RuntimeClient,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly base: DownloadedModel; readonly model: DownloadedModel }> {
  const { model: base, variants } = await client.modelInfo(key, { signal });
  if (!base.variants.includes(key)) return { base, model: base };
  const variant = variants.find(({ modelKey }) => modelKey === key);
  return { base, model: variant ?? { ...base, modelKey: key } };
}
