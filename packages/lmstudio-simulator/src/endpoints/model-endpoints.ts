import * as z from 'zod/mini';
import type { ModelDomain } from '../runtime/device.js';
import { estimateLoad, startLoad } from '../loading/load.js';
import { activityOf } from '../runtime/resident.js';
import type { Backend } from './backend.js';
import { resolveSpecifier } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { channel, rpc, noParameter } from '../wire/endpoint.js';
import { cancelSchema, configStackSchema, flattenStack, specifierSchema } from '../wire/frames.js';
import { getOrLoad } from './get-or-load.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch } from '../wire/wire-error.js';

const device = z.optional(z.nullable(z.string()));
const ttl = z.optional(z.int().check(z.positive()));

/** The endpoints that `llm` and `embedding` share. */
export function modelEndpoints(
  backend: Backend,
  domain: ModelDomain,
): readonly (readonly [string, Endpoint])[] {
  const { runtime, profile } = backend;

  const shared: readonly (readonly [string, Endpoint])[] = [
    ['loadModel', loadModel(backend, domain)],
    ['getOrLoad', getOrLoad(backend, domain)],
    [
      'unloadModel',
      rpc(z.object({ identifier: z.string(), deviceIdentifier: device }), ({ identifier }) => {
        runtime.residents.unload(identifier, domain);
      }),
    ],
    [
      'listLoaded',
      rpc(noParameter, () =>
        runtime.residents.all
          .filter((resident) => resident.domain === domain)
          .map((resident) => instanceInfo(resident, profile)),
      ),
    ],
    [
      'getModelInfo',
      rpc(
        z.object({ specifier: specifierSchema, throwIfNotFound: z.boolean() }),
        ({ specifier, throwIfNotFound }) => {
          try {
            return instanceInfo(resolveSpecifier(backend, domain, specifier), profile);
          } catch (error) {
            // A query without a match returns nothing. A reference to an instance that was
            // unloaded always fails.
            if (specifier.type === 'query' && !throwIfNotFound) return undefined;
            throw error;
          }
        },
      ),
    ],
    [
      'getLoadConfig',
      rpc(z.object({ specifier: specifierSchema }), ({ specifier }) => ({
        fields: resolveSpecifier(backend, domain, specifier).fields,
      })),
    ],
    [
      'getBasePredictionConfig',
      rpc(z.object({ specifier: specifierSchema }), ({ specifier }) => {
        resolveSpecifier(backend, domain, specifier);
        // Invented: no capture shows which fields LM Studio reports.
        return { fields: [] };
      }),
    ],
  ];
  if (!profile.modern) return shared;
  return [
    ...shared,
    [
      'getInstanceProcessingState',
      rpc(z.object({ specifier: specifierSchema, throwIfNotFound: z.boolean() }), ({ specifier }) =>
        activityOf(resolveSpecifier(backend, domain, specifier)),
      ),
    ],
    ['estimateModelUsage', estimateModelUsage(backend, domain)],
  ];
}

function loadModel(backend: Backend, domain: ModelDomain): Endpoint {
  const { runtime, profile } = backend;
  const schema = z.object({
    modelKey: z.string(),
    identifier: z.optional(z.string()),
    deviceIdentifier: device,
    ttlMs: ttl,
    loadConfigStack: configStackSchema,
  });
  return channel(schema, cancelSchema, (request, serverChannel) => {
    const file = runtime.findModel(request.modelKey, domain, request.deviceIdentifier);
    if (file.model.type !== domain) {
      throw domainMismatch(request.modelKey, file.model.type, domain);
    }
    serverChannel.send({ type: 'resolved', info: modelInfo(file, profile) });
    const load = startLoad(
      runtime,
      {
        file,
        domain,
        identifier: request.identifier ?? null,
        // LM Studio treats a load through the SDK as manual: without a given time to live it has
        // none.
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
        failed: (error) => serverChannel.error(error.serialized),
        drop: () => serverChannel.dropConnection(),
      },
    );
    serverChannel.onMessage(() => load.cancel());
    serverChannel.onDisconnect(() => load.clientGone());
  });
}

function estimateModelUsage({ runtime }: Backend, domain: ModelDomain): Endpoint {
  const schema = z.object({
    modelKey: z.string(),
    loadConfigStack: configStackSchema,
    deviceIdentifier: device,
  });
  return rpc(schema, ({ modelKey, loadConfigStack, deviceIdentifier }) => {
    const file = runtime.findModel(modelKey, domain, deviceIdentifier);
    const { placement, passes } = estimateLoad(runtime, file, flattenStack(loadConfigStack));
    const { bytes, gpu, projectorOnGpu } = placement;
    const modelBytes = bytes.weights + bytes.projector;
    const modelVramBytes = Math.round(gpu.weights + (projectorOnGpu ? bytes.projector : 0));
    const contextVramBytes = Math.round(gpu.context);
    return {
      memory: {
        // Invented: when LM Studio reports a low confidence is not known.
        confidence: file.model.architecture === null ? 'low' : 'high',
        modelVramBytes,
        contextVramBytes,
        totalVramBytes: modelVramBytes + contextVramBytes,
        modelBytes,
        contextBytes: bytes.context,
        totalBytes: modelBytes + bytes.context,
      },
      passesGuardrails: passes,
    };
  });
}
