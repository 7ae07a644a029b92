import * as z from 'zod/mini';
import { modelOnDevice } from '../runtime/device.js';
import type { Backend } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { channel, rpc, noParameter } from '../wire/endpoint.js';
import { modelInfo } from './model-info.js';
import { WireError } from '../wire/wire-error.js';

/** The namespace `system`: versions, downloaded models and their variants. */
export function systemEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  const { runtime, profile } = backend;
  const version = runtime.world.version ?? profile.version;
  const shared: readonly (readonly [string, Endpoint])[] = [
    ['version', rpc(noParameter, () => ({ version, build: runtime.world.build ?? profile.build }))],
    [
      'listDownloadedModels',
      rpc(noParameter, () => runtime.downloaded().map((file) => modelInfo(file, profile))),
    ],
    // The SDK opens this channel to notice the end of the connection. Nothing is sent on it.
    ['alive', channel(noParameter, () => {})],
    ['notify', rpc(z.object({ title: z.string() }), () => undefined)],
    ['getExperimentFlags', rpc(noParameter, () => [])],
  ];
  if (!profile.modern) return shared;
  return [
    ...shared,
    [
      'info',
      rpc(noParameter, () => ({ pid: process.pid, isDaemon: runtime.world.isDaemon, version })),
    ],
    [
      'listDownloadedModelVariants',
      rpc(z.object({ modelKey: z.string() }), ({ modelKey }) => {
        const { device, model } = runtime.findModel(modelKey, 'llm', undefined);
        if (model.variants.length === 0) {
          throw new WireError(`Model "${modelKey}" does not have variants`);
        }
        return model.variants
          .flatMap(({ name }) => modelOnDevice(device, model, name) ?? [])
          .map((file) => modelInfo(file, profile));
      }),
    ],
  ];
}
