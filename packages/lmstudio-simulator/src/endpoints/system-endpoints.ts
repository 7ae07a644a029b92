import * as z from 'zod/mini';
import { modelOnDevice } from '../runtime/device.js';
import type { Backend } from '../runtime/backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { channel, rpc, noParameter } from '../wire/endpoint.js';
import { modelInfo } from './models/model-info.js';
import { notSimulated, WireError } from '../wire/wire-error.js';

const httpServerSchema = z.object({
  port: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
  cors: z.optional(z.boolean()),
  networkInterface: z.optional(z.string()),
});

/** The namespace `system`: versions, downloaded models and their variants. */
export function systemEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  const { runtime } = backend;
  const { profile, version, build } = runtime;
  const shared: readonly (readonly [string, Endpoint])[] = [
    ['version', rpc(noParameter, () => ({ version, build }))],
    [
      'listDownloadedModels',
      rpc(noParameter, () => runtime.downloaded().map((file) => modelInfo(file, profile))),
    ],
    // The SDK opens this channel to notice the end of the connection. Nothing is sent on it.
    ['alive', channel(noParameter, noParameter, () => {})],
    ['notify', rpc(z.object({ title: z.string() }), () => undefined)],
    ['getExperimentFlags', rpc(noParameter, () => [])],
  ];
  if (!profile.modern) return shared;
  return [
    ...shared,
    [
      'startHttpServer',
      rpc(httpServerSchema, ({ port }) => {
        if (port !== undefined && port !== backend.port())
          throw notSimulated('startHttpServer on another port');
        runtime.httpServer = true;
      }),
    ],
    [
      'stopHttpServer',
      rpc(noParameter, () => {
        runtime.httpServer = false;
      }),
    ],
    [
      'info',
      rpc(noParameter, () => ({ pid: process.pid, isDaemon: runtime.world.isDaemon, version })),
    ],
    [
      'listDownloadedModelVariants',
      rpc(z.object({ modelKey: z.string() }), ({ modelKey }) => {
        const { device, model, pinnedVariant } = runtime.findModel(modelKey, 'llm', undefined);
        if (model.variants.length === 0 || pinnedVariant) {
          throw new WireError(`Model "${modelKey}" does not have variants`);
        }
        return model.variants
          .flatMap(({ name }) => modelOnDevice(device, model, name) ?? [])
          .map((file) => modelInfo(file, profile));
      }),
    ],
  ];
}
