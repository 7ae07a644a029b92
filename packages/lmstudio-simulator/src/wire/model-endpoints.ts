import * as z from 'zod/mini';
import { estimateLoad, startLoad } from '../host/load.js';
import type { Backend } from './backend.js';
import { resolveSpecifier } from './backend.js';
import type { Endpoint } from './endpoint.js';
import { channel, rpc } from './endpoint.js';
import { flattenStack } from './config-stack.js';
import { configStackSchema, specifierSchema } from './frames.js';
import { getOrLoad } from './get-or-load.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch } from './wire-error.js';

const device = z.optional(z.nullable(z.string()));
const ttl = z.optional(z.int().check(z.positive()));

/** The endpoints that `llm` and `embedding` share. */
export function modelEndpoints(
  backend: Backend,
  domain: 'llm' | 'embedding',
): readonly (readonly [string, Endpoint])[] {
  const { host, profile } = backend;

  const shared: readonly (readonly [string, Endpoint])[] = [
    ['loadModel', loadModel(backend, domain)],
    ['getOrLoad', getOrLoad(backend, domain)],
    [
      'unloadModel',
      rpc(z.object({ identifier: z.string(), deviceIdentifier: device }), ({ identifier }) => {
        host.unload(identifier, domain);
      }),
    ],
    [
      'listLoaded',
      rpc(null, () =>
        host
          .residents()
          .filter(({ file }) => file.model.type === domain)
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
            // A handle to an instance that has gone always fails; only a query may find nothing.
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
        host.activity(resolveSpecifier(backend, domain, specifier)),
      ),
    ],
    ['estimateModelUsage', estimateModelUsage(backend, domain)],
  ];
}

const cancelSchema = z.object({ type: z.literal('cancel') });

function loadModel(backend: Backend, domain: 'llm' | 'embedding'): Endpoint {
  const { host, profile } = backend;
  const schema = z.object({
    modelKey: z.string(),
    identifier: z.optional(z.string()),
    deviceIdentifier: device,
    ttlMs: ttl,
    loadConfigStack: configStackSchema,
  });
  return channel(schema, (order, serverChannel) => {
    const file = host.findModel(order.modelKey, domain, order.deviceIdentifier);
    if (file.model.type !== domain) {
      throw domainMismatch(order.modelKey, file.model.type, domain);
    }
    serverChannel.send({ type: 'resolved', info: modelInfo(file, profile) });
    const load = startLoad(
      host,
      {
        file,
        identifier: order.identifier ?? null,
        // Loads through the SDK count as manual: no time to live unless one is given.
        ttlMs: order.ttlMs ?? null,
        fields: flattenStack(order.loadConfigStack),
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
        restart: (downMs) => backend.restart(downMs),
      },
    );
    serverChannel.onMessage((message) => {
      if (cancelSchema.safeParse(message).success) load.cancel();
    });
    serverChannel.onDisconnect(() => {
      if (host.world.loadAfterDisconnect === 'cancel') load.cancel();
    });
  });
}

function estimateModelUsage({ host }: Backend, domain: 'llm' | 'embedding'): Endpoint {
  const schema = z.object({
    modelKey: z.string(),
    loadConfigStack: configStackSchema,
    deviceIdentifier: device,
  });
  return rpc(schema, ({ modelKey, loadConfigStack, deviceIdentifier }) => {
    const file = host.findModel(modelKey, domain, deviceIdentifier);
    const { placement, passes } = estimateLoad(host, file, flattenStack(loadConfigStack));
    const { bytes, vram } = placement;
    return {
      memory: {
        confidence: file.model.architecture === null ? 'low' : 'high',
        modelVramBytes: vram.weights,
        contextVramBytes: vram.context,
        totalVramBytes: vram.weights + vram.context,
        modelBytes: bytes.weights,
        contextBytes: bytes.context,
        totalBytes: bytes.weights + bytes.context,
      },
      passesGuardrails: passes,
    };
  });
}
