import { detectCapabilities } from '../models/capabilities.js';
import { findModel } from '../models/find-model.js';
import { generate, warmUp } from '../models/generate.js';
import {
  estimate,
  linkedDevices,
  type LMStudioVersion,
  readVersion,
  type ResourceEstimate,
  selectedEngines,
  surveyHardware,
} from '../machine/inspect-machine.js';
import { listDownloaded, listResidents, listVariants } from '../models/list-models.js';
import type { EstimateOptions, LMStudioClient, ModelDetails } from './client-types.js';
import { budgetOf, type Connection, translated } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type { HostFacts } from '../machine/host-facts.js';
import { LoadCoordinator } from '../load/load-coordinator.js';
import { loadFailure, modelNotFound } from '../load/load-failure.js';
import { loadFirst } from '../load/load-first.js';
import { loadOnce } from '../load/load-once.js';
import type { LoadRequest, LoadResult } from '../load/load-types.js';
import { instanceNotFound, unload } from '../load/unload.js';
import type { CallOptions, LoadConfig } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';

/** The client over an established connection. */
export function clientOf(
  connection: Connection,
  connectedVersion: LMStudioVersion,
  host: HostFacts,
): LMStudioClient {
  const budget = (options: CallOptions | undefined) => budgetOf(connection, options);
  const coordinator = new LoadCoordinator(connection, (load, doubtful, signal, onProgress) =>
    loadOnce(connection, load, doubtful, signal, onProgress),
  );
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= coordinator
      .cancelAll(new LMStudioError('UNREACHABLE', 'The client was closed. Connect again.'))
      .then(() => connection.pool.close());
    return closing;
  };
  const load = (request: LoadRequest): Promise<LoadResult> => coordinator.load(request);

  return {
    baseUrl: connection.address.webSocketUrl,
    host,
    connectedVersion,
    version: (options) => readVersion(connection, budget(options)),
    listDownloaded: (options) => listDownloaded(connection, budget(options)),
    listResidents: (options) => listResidents(connection, budget(options), 'full'),
    findModel: async (modelKey, options) =>
      findModel(modelKey, await listDownloaded(connection, budget(options))),
    modelInfo: (modelKey, options) => modelInfo(connection, modelKey, options),
    estimate: (modelKey, loadConfig, options) =>
      estimateModel(connection, modelKey, loadConfig, options ?? {}),
    surveyHardware: (options) => surveyHardware(connection, budget(options)),
    selectedEngines: (options) => selectedEngines(connection, budget(options)),
    devices: (options) => linkedDevices(connection, budget(options)),
    load,
    loadFirst: (requests) => loadFirst(load, requests),
    unload: (instanceIdentifier, options) =>
      unload(connection, instanceIdentifier, budget(options)),
    generate: (request) => generate(connection, request),
    warmUp: async (instanceIdentifier, options = {}) => {
      const residents = await listResidents(connection, budget(undefined), 'listing');
      const resident = residents.find((one) => one.instanceIdentifier === instanceIdentifier);
      if (resident === undefined) throw instanceNotFound(instanceIdentifier, residents);
      return warmUp(connection, resident, options.promptTokens ?? 512, options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function modelInfo(
  connection: Connection,
  modelKey: string,
  options: CallOptions | undefined,
): Promise<ModelDetails> {
  const budget = budgetOf(connection, options);
  const [downloaded, residents] = await Promise.all([
    listDownloaded(connection, budget),
    listResidents(connection, budget, 'full'),
  ]);
  const { model } = findModel(modelKey, downloaded);
  if (model === null) throw modelNotFound(modelKey, downloaded);
  const variants =
    model.variants.length === 0 ? [] : await listVariants(connection, model.modelKey, budget);
  return {
    model,
    capabilities: detectCapabilities(model),
    variants,
    residents: residents.filter((resident) => resident.modelKey === model.modelKey),
  };
}

async function estimateModel(
  connection: Connection,
  modelKey: string,
  loadConfig: LoadConfig,
  options: EstimateOptions,
): Promise<ResourceEstimate | null> {
  const budget = budgetOf(connection, options);
  const downloaded = options.kind === undefined ? await listDownloaded(connection, budget) : null;
  const kind =
    options.kind ??
    (downloaded === null ? null : findModel(modelKey, downloaded).model?.kind) ??
    'llm';
  const subject = {
    kind,
    modelKey,
    loadConfig,
    keepModelInMemory: options.keepModelInMemory ?? null,
    deviceIdentifier: options.deviceIdentifier,
  };
  return translated(connection, `estimate ${modelKey}`, async () => {
    try {
      return await estimate(connection, subject, budget);
    } catch (error) {
      if (!isCallFault(error, 'answered')) throw error;
      const failure = loadFailure(
        error,
        connection,
        { modelKey, identifier: modelKey },
        downloaded,
      );
      if (failure instanceof LMStudioError && failure.code === 'MODEL_NOT_FOUND') throw failure;
      // LM Studio answers, only not about this model: no engine for its format, a key it does not like.
      return null;
    }
  });
}
