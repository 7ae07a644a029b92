import * as z from 'zod/mini';
import type { LoadInProgress } from '../runtime/runtime.js';
import type { ModelDomain } from '../runtime/device.js';
import { startLoad } from '../loading/load.js';
import type { ResidentState } from '../runtime/resident.js';
import { isBusy } from '../runtime/resident.js';
import type { Backend } from './backend.js';
import type { Endpoint, ServerChannel } from '../wire/endpoint.js';
import { channel } from '../wire/endpoint.js';
import { cancelSchema, configStackSchema, flattenStack } from '../wire/frames.js';
import { instanceInfo, modelInfo } from './model-info.js';
import { domainMismatch, loadCancelled } from '../wire/wire-error.js';

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
    const resident = findLoaded(backend, identifier, domain);
    if (resident) {
      runtime.residents.touch(resident);
      serverChannel.send({ type: 'alreadyLoaded', info: instanceInfo(resident, profile) });
      serverChannel.close();
      return;
    }
    const file = runtime.findModel(identifier, domain, deviceIdentifier);
    if (file.model.type !== domain) throw domainMismatch(identifier, file.model.type, domain);

    // Concurrent requests share one load, except with the fault duplicate-loads.
    const underWay = [...runtime.loads].find((load) => load.file.modelKey === file.modelKey);
    if (underWay && !runtime.faults.triggerForLoad('duplicate-loads', file.model.modelKey)) {
      serverChannel.send({
        type: 'startLoading',
        identifier: underWay.identifier,
        info: modelInfo(file, profile),
      });
      void joinLoad(backend, underWay, serverChannel);
      return;
    }

    if (runtime.world.justInTime.autoEvict) {
      for (const other of runtime.residents.all) {
        if (!other.justInTime || other.domain !== domain) continue;
        serverChannel.send({ type: 'unloadingOtherJITModel', info: instanceInfo(other, profile) });
        // LM Studio evicts even while the model generates: lmstudio-bug-tracker #671 and #1796.
        runtime.residents.unload(other.identifier);
      }
    }
    const load = startLoad(
      runtime,
      {
        file,
        domain,
        // The instance gets the name that was asked for, even where it is a path.
        identifier: runtime.freeIdentifier(identifier),
        ttlMs: request.loadTtlMs ?? runtime.world.justInTime.ttlMs,
        fields: flattenStack(request.loadConfigStack),
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
    serverChannel.onMessage(() => load.cancel());
    serverChannel.onDisconnect(() => {
      if (runtime.world.loadAfterDisconnect === 'cancel') load.cancel();
    });
  });
}

function findLoaded(
  { runtime }: Backend,
  identifier: string,
  domain: ModelDomain,
): ResidentState | null {
  const exact = runtime.residents.find(identifier);
  if (exact?.domain === domain) return exact;
  const copies = runtime.residents.all.filter(
    ({ file, domain: loadedAs }) =>
      loadedAs === domain && [file.modelKey, file.model.modelKey].includes(identifier),
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
