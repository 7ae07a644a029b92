import * as z from 'zod/mini';
import type { LoadInProgress } from '../host/host.js';
import { startLoad } from '../host/load.js';
import type { ResidentState } from '../host/resident.js';
import { isBusy } from '../host/resident.js';
import type { Backend } from './backend.js';
import type { Endpoint, ServerChannel } from './endpoint.js';
import { channel } from './endpoint.js';
import { configStackSchema } from './frames.js';
import { flattenStack } from './config-stack.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch, loadCancelled } from './wire-error.js';

const schema = z.object({
  identifier: z.string(),
  deviceIdentifier: z.optional(z.nullable(z.string())),
  loadTtlMs: z.optional(z.int().check(z.positive())),
  loadConfigStack: configStackSchema,
});

/** Just-in-time loading: what `client.llm.model(key)` does. */
export function getOrLoad(backend: Backend, domain: 'llm' | 'embedding'): Endpoint {
  const { host, profile } = backend;
  return channel(schema, (order, serverChannel) => {
    const { identifier, deviceIdentifier } = order;
    const resident = findLoaded(backend, identifier, domain);
    if (resident) {
      host.touch(resident);
      serverChannel.send({ type: 'alreadyLoaded', info: instanceInfo(resident, profile) });
      serverChannel.close();
      return;
    }
    const file = host.findModel(identifier, domain, deviceIdentifier);
    if (file.model.type !== domain) throw domainMismatch(identifier, file.model.type, domain);

    // Normally concurrent requests share one load.
    const underWay = [...host.loads].find((load) => load.file.modelKey === file.modelKey);
    if (underWay && !host.faults.strikeLoad('duplicate-loads', file.model.modelKey)) {
      serverChannel.send({
        type: 'startLoading',
        identifier: underWay.identifier,
        info: modelInfo(file, profile),
      });
      void joinLoad(backend, underWay, serverChannel);
      return;
    }

    if (host.world.justInTime.autoEvict) {
      for (const other of host.residents()) {
        if (!other.justInTime || other.file.model.type !== domain) continue;
        serverChannel.send({ type: 'unloadingOtherJITModel', info: instanceInfo(other, profile) });
        // Also when it is generating: lmstudio-bug-tracker #671 and #1796.
        host.unload(other.identifier);
      }
    }
    const load = startLoad(
      host,
      {
        file,
        identifier: null,
        ttlMs: order.loadTtlMs ?? host.world.justInTime.ttlMs,
        fields: flattenStack(order.loadConfigStack),
        justInTime: true,
      },
      {
        progress: (progress) => serverChannel.send({ type: 'loadProgress', progress }),
        loaded(loaded) {
          serverChannel.send({ type: 'loadSuccess', info: instanceInfo(loaded, profile) });
          serverChannel.close();
        },
        failed: (error) => serverChannel.error(error.serialized),
        drop: () => serverChannel.dropConnection(),
        restart: (downMs) => backend.restart(downMs),
      },
    );
    serverChannel.send({
      type: 'startLoading',
      identifier: load.identifier,
      info: modelInfo(file, profile),
    });
    serverChannel.onMessage((message) => {
      if (typeof message === 'object' && message !== null && 'type' in message) {
        if (message.type === 'cancel') load.cancel();
      }
    });
    serverChannel.onDisconnect(() => {
      if (host.world.loadAfterDisconnect === 'cancel') load.cancel();
    });
  });
}

function findLoaded(
  { host }: Backend,
  identifier: string,
  domain: 'llm' | 'embedding',
): ResidentState | null {
  const exact = host.findResident(identifier);
  if (exact?.file.model.type === domain) return exact;
  const copies = host
    .residents()
    .filter(
      ({ file }) =>
        file.model.type === domain && [file.modelKey, file.model.modelKey].includes(identifier),
    );
  return copies.find((copy) => !isBusy(copy)) ?? copies[0] ?? null;
}

async function joinLoad(
  { profile }: Backend,
  load: LoadInProgress,
  serverChannel: ServerChannel,
): Promise<void> {
  const resident = await load.done;
  if (resident) {
    serverChannel.send({ type: 'loadSuccess', info: instanceInfo(resident, profile) });
    serverChannel.close();
  } else {
    serverChannel.error(loadCancelled().serialized);
  }
}
