import * as z from 'zod/mini';
import type { ModelDomain } from '../runtime/device.js';
import { findLoaded, loadJustInTime } from '../loading/just-in-time.js';
import type { Backend } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { channel } from '../wire/endpoint.js';
import { cancelSchema, configStackSchema, flattenStack } from '../wire/frames.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch } from '../wire/wire-error.js';

const schema = z.object({
  identifier: z.string(),
  deviceIdentifier: z.optional(z.nullable(z.string())),
  loadTtlMs: z.optional(z.int().check(z.positive())),
  loadConfigStack: configStackSchema,
});

/** Just-in-time loading: the endpoint behind `client.llm.model(key)`. */
export function getOrLoad(backend: Backend, domain: ModelDomain): Endpoint {
  const { runtime, profile } = backend;
  return channel(schema, cancelSchema, (request, serverChannel) => {
    const { identifier, deviceIdentifier } = request;
    const resident = findLoaded(runtime, identifier, domain);
    if (resident) {
      runtime.residents.touch(resident);
      serverChannel.send({ type: 'alreadyLoaded', info: instanceInfo(resident, profile) });
      serverChannel.close();
      return;
    }
    const file = runtime.findModel(identifier, domain, deviceIdentifier);
    if (file.model.type !== domain) throw domainMismatch(identifier, file.model.type, domain);
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
        failed: (error) => serverChannel.error(error.serialized),
        drop: () => serverChannel.dropConnection(),
      },
    );
    if (load === null) return;
    serverChannel.onMessage(() => load.cancel());
    serverChannel.onDisconnect(() => load.clientGone());
  });
}
