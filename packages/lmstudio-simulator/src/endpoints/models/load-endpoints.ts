import * as z from 'zod/mini';
import type { ModelDomain, ModelOnDevice } from '../../runtime/device.js';
import type { LoadInProgress, Runtime } from '../../runtime/runtime.js';
import { findLoaded, loadJustInTime } from '../../loading/just-in-time.js';
import { type LoadListener, startLoad } from '../../loading/load.js';
import type { Backend } from '../../runtime/backend.js';
import type { Endpoint, ServerChannel } from '../../wire/endpoint.js';
import { channel } from '../../wire/endpoint.js';
import { cancelSchema, configStackSchema, flattenStack } from '../../wire/frames.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch } from '../../wire/wire-error.js';

/** The field that names an LM Link device. */
export const deviceSchema = z.optional(z.nullable(z.string()));
const ttlSchema = z.optional(z.int().check(z.positive()));

/** `loadModel`: the endpoint behind `client.llm.load(key)`. */
export function loadModel(backend: Backend, domain: ModelDomain): Endpoint {
  const { runtime } = backend;
  const { profile } = runtime;
  const schema = z.object({
    modelKey: z.string(),
    identifier: z.optional(z.string()),
    deviceIdentifier: deviceSchema,
    ttlMs: ttlSchema,
    loadConfigStack: configStackSchema,
  });
  return channel(schema, cancelSchema, (request, serverChannel) => {
    const file = findLoadable(runtime, request.modelKey, domain, request.deviceIdentifier);
    serverChannel.send({ type: 'resolved', info: modelInfo(file, profile) });
    const load = startLoad(
      runtime,
      {
        file,
        domain,
        identifier: request.identifier ?? null,
        // LM Studio treats a load through the SDK as manual, so the load has no time to live unless the request
        // sets it.
        ttlMs: request.ttlMs ?? null,
        fields: flattenStack(request.loadConfigStack),
        justInTime: false,
      },
      {
        progress: (progress) => serverChannel.send({ type: 'progress', progress }),
        loaded(resident) {
          serverChannel.send({ type: 'success', info: instanceInfo(resident, profile) });
          serverChannel.close();
        },
        ...failuresTo(serverChannel),
      },
    );
    connectLoad(load, serverChannel);
  });
}

/** `getOrLoad`, just-in-time loading: the endpoint behind `client.llm.model(key)`. */
export function getOrLoad(backend: Backend, domain: ModelDomain): Endpoint {
  const { runtime } = backend;
  const { profile } = runtime;
  const schema = z.object({
    identifier: z.string(),
    deviceIdentifier: deviceSchema,
    loadTtlMs: ttlSchema,
    loadConfigStack: configStackSchema,
  });
  return channel(schema, cancelSchema, (request, serverChannel) => {
    const { identifier, deviceIdentifier } = request;
    const resident = findLoaded(runtime, identifier, domain);
    if (resident) {
      runtime.residents.touch(resident);
      serverChannel.send({ type: 'alreadyLoaded', info: instanceInfo(resident, profile) });
      serverChannel.close();
      return;
    }
    const file = findLoadable(runtime, identifier, domain, deviceIdentifier);
    const load = loadJustInTime(
      runtime,
      {
        file,
        domain,
        identifier,
        ttlMs: request.loadTtlMs ?? null,
        fields: flattenStack(request.loadConfigStack),
      },
      {
        unloading: (other) =>
          serverChannel.send({
            type: 'unloadingOtherJITModel',
            info: instanceInfo(other, profile),
          }),
        loading: (loadingIdentifier, loading) =>
          serverChannel.send({
            type: 'startLoading',
            identifier: loadingIdentifier,
            info: modelInfo(loading, profile),
          }),
        progress: (progress) => serverChannel.send({ type: 'loadProgress', progress }),
        loaded(loaded) {
          serverChannel.send({ type: 'loadSuccess', info: instanceInfo(loaded, profile) });
          serverChannel.close();
        },
        ...failuresTo(serverChannel),
      },
    );
    if (load !== null) connectLoad(load, serverChannel);
  });
}

/** Finds a model of this namespace. @throws WireError where there is none, and for a model of another kind. */
function findLoadable(
  runtime: Runtime,
  key: string,
  domain: ModelDomain,
  deviceIdentifier: string | null | undefined,
): ModelOnDevice {
  const file = runtime.findModel(key, domain, deviceIdentifier);
  if (file.model.type !== domain) throw domainMismatch(key, file.model.type, domain);
  return file;
}

/** Sends the failure of a load to the channel of its client. */
function failuresTo(serverChannel: ServerChannel): Pick<LoadListener, 'failed' | 'drop'> {
  return {
    failed: (error) => serverChannel.error(error.serialized),
    drop: () => serverChannel.dropConnection(),
  };
}

/** Lets the client of a channel cancel a load. */
function connectLoad(load: LoadInProgress, serverChannel: ServerChannel): void {
  serverChannel.onMessage(() => load.cancel());
  serverChannel.onDisconnect(() => load.clientGone());
}
