import { checkRange, refersTo, statedCapabilities } from '@mai/memory-ledger';
import { watchEngines } from './watch-engines.js';
import { LMStudioError } from '../errors.js';
import { estimateModel } from '../load/estimate.js';
import { LoadCoordinator } from '../load/load-coordinator.js';
import { loadFirst } from '../load/load-first.js';
import { loadOnce } from '../load/load-once.js';
import type { LoadRequest, LoadResult } from '../load/load-types.js';
import { UnconfirmedLoads } from '../load/unconfirmed-loads.js';
import { unload } from '../load/unload.js';
import { surveyHardware } from '../machine/hardware-survey.js';
import type { HostFacts } from '../machine/host-facts.js';
import {
  linkedDevices,
  type LMStudioVersion,
  readVersion,
  selectedEngines,
} from '../machine/inspect-machine.js';
import { findModel, instanceNotFound, modelNotFound } from '../models/find-model.js';
import { generate, warmUp } from '../models/generate.js';
import { listDownloaded, listVariants } from '../models/list-downloaded.js';
import { listResidents } from '../models/list-residents.js';
import { type Connection, deadlineOf } from '../wire/connection.js';
import type { CallOptions } from '../wire/deadline.js';
import type { LMStudioClient, ModelDetails } from './client-types.js';

/** llama.cpp's micro-batch size. A prompt of this length makes llama.cpp allocate all its compute buffers. */
const WARM_UP_TOKENS = 512;
/** More than the context of any model. The prompt is one text in memory. */
const MOST_WARM_UP_TOKENS = 10_000_000;

/** The client of a connection that LM Studio has accepted. */
export function clientOf(
  connection: Connection,
  connectedVersion: LMStudioVersion,
  host: HostFacts,
): LMStudioClient {
  const deadline = (options: CallOptions | undefined) => deadlineOf(connection, options);
  const unconfirmed = new UnconfirmedLoads(connection);
  const coordinator = new LoadCoordinator(connection, unconfirmed, (load, signal, onProgress) =>
    loadOnce(connection, load, unconfirmed, signal, onProgress),
  );
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= coordinator
      .cancelAll(new LMStudioError('UNREACHABLE', 'The client was closed. Connect again.'))
      .then(() => {
        unconfirmed.stop();
        return connection.pool.close();
      });
    return closing;
  };
  const load = (request: LoadRequest): Promise<LoadResult> => coordinator.load(request);

  return {
    baseUrl: connection.address.webSocketUrl,
    host,
    connectedVersion,
    version: async (options) => readVersion(connection, deadline(options)),
    listDownloaded: async (options) => listDownloaded(connection, deadline(options)),
    listResidents: async (options) => listResidents(connection, deadline(options), 'full'),
    findModel: async (modelKey, options) =>
      findModel(modelKey, (await listDownloaded(connection, deadline(options))).models),
    modelInfo: (modelKey, options) => modelInfo(connection, modelKey, options),
    estimate: (modelKey, loadConfig, options) =>
      estimateModel(connection, modelKey, loadConfig, options),
    surveyHardware: async (options) => surveyHardware(connection, deadline(options)),
    selectedEngines: async (options) => selectedEngines(connection, deadline(options)),
    watchEngines: (options) => watchEngines(connection, options),
    devices: async (options) => linkedDevices(connection, deadline(options)),
    load,
    unconfirmedLoads: () => unconfirmed.list(),
    loadFirst: (requests) => loadFirst(load, requests),
    unload: async (instanceIdentifier, options) =>
      unload(connection, instanceIdentifier, deadline(options)),
    generate: (request) => generate(connection, request),
    warmUp: async (instanceIdentifier, options = {}) => {
      const { promptTokens = WARM_UP_TOKENS } = options;
      checkRange('promptTokens', promptTokens, 1, MOST_WARM_UP_TOKENS);
      const residents = await listResidents(connection, deadline(undefined), 'listing');
      const resident = residents.find((one) => one.instanceIdentifier === instanceIdentifier);
      if (resident === undefined) throw instanceNotFound(instanceIdentifier, residents);
      return warmUp(connection, resident, promptTokens, options);
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
  const deadline = deadlineOf(connection, options);
  const [listing, residents] = await Promise.all([
    listDownloaded(connection, deadline),
    listResidents(connection, deadline, 'full'),
  ]);
  const { model } = findModel(modelKey, listing.models);
  if (model === null) throw modelNotFound(modelKey, listing);
  const variants =
    model.variants.length === 0 ? [] : await listVariants(connection, model.modelKey, deadline);
  return {
    model,
    capabilities: statedCapabilities(model),
    variants,
    residents: residents.filter((resident) => refersTo(model.modelKey, resident)),
  };
}
