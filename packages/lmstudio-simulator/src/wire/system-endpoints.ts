import * as z from 'zod/mini';
import { modelOnDevice } from '../host/device.js';
import type { Backend } from './backend.js';
import type { Endpoint } from './endpoint.js';
import { channel, rpc } from './endpoint.js';
import { modelInfo } from './model-info.js';
import { WireError } from './wire-error.js';

/** The `system` namespace. */
export function systemEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  const { host, profile } = backend;
  const version = host.world.version ?? profile.version;
  const shared: readonly (readonly [string, Endpoint])[] = [
    ['version', rpc(null, () => ({ version, build: host.world.build ?? profile.build }))],
    [
      'listDownloadedModels',
      rpc(null, () => host.downloaded().map((file) => modelInfo(file, profile))),
    ],
    // Nothing is ever sent on it: it ends with the connection.
    ['alive', channel(null, () => {})],
    ['notify', rpc(z.object({ title: z.string() }), () => undefined)],
    ['getExperimentFlags', rpc(null, () => [])],
  ];
  if (!profile.modern) return shared;
  return [
    ...shared,
    ['info', rpc(null, () => ({ pid: process.pid, isDaemon: host.world.isDaemon, version }))],
    [
      'listDownloadedModelVariants',
      rpc(z.object({ modelKey: z.string() }), ({ modelKey }) => {
        const { device, model } = host.findModel(modelKey, 'llm', undefined);
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
