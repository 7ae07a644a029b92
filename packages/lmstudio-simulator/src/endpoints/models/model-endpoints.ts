import * as z from 'zod/mini';
import type { ModelDomain } from '../../runtime/device.js';
import { estimateLoad } from '../../loading/load.js';
import { countTokens, tokenize } from '../../predicting/tokens.js';
import { activityOf } from '../../runtime/resident.js';
import type { Backend } from '../../runtime/backend.js';
import { resolveSpecifier } from './resolve-specifier.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { noParameter, rpc } from '../../wire/endpoint.js';
import { configStackSchema, flattenStack, specifierSchema } from '../../wire/frames.js';
import { deviceSchema, getOrLoad, loadModel } from './load-endpoints.js';
import { instanceInfo } from './model-info.js';

/** The endpoints that `llm` and `embedding` share. */
export function modelEndpoints(
  backend: Backend,
  domain: ModelDomain,
): readonly (readonly [string, Endpoint])[] {
  const { runtime } = backend;
  const { profile } = runtime;
  const text = z.object({ specifier: specifierSchema, inputString: z.string() });

  const shared: readonly (readonly [string, Endpoint])[] = [
    ['loadModel', loadModel(backend, domain)],
    ['getOrLoad', getOrLoad(backend, domain)],
    [
      'unloadModel',
      rpc(
        z.object({ identifier: z.string(), deviceIdentifier: deviceSchema }),
        ({ identifier }) => {
          runtime.residents.unload(identifier, domain);
        },
      ),
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
    [
      'tokenize',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, domain, specifier);
        return { tokens: tokenize(inputString) };
      }),
    ],
    [
      'countTokens',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, domain, specifier);
        return { tokenCount: countTokens(inputString) };
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

function estimateModelUsage({ runtime }: Backend, domain: ModelDomain): Endpoint {
  const schema = z.object({
    modelKey: z.string(),
    loadConfigStack: configStackSchema,
    deviceIdentifier: deviceSchema,
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
        // Invented: it is not known when LM Studio reports a low confidence.
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
