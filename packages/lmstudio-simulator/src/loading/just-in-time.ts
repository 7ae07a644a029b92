import type { ModelDomain, ModelOnDevice } from '../runtime/device.js';
import type { ResidentState } from '../runtime/resident.js';
import { isBusy } from '../runtime/resident.js';
import type { LoadInProgress, Runtime } from '../runtime/runtime.js';
import { loadCancelled } from '../wire/wire-error.js';
import { type LoadListener, type LoadRequest, startLoad } from './load.js';

/** A request to load a model that is not loaded. */
export interface JustInTimeRequest extends Pick<LoadRequest, 'file' | 'domain' | 'fields'> {
  /** The name that the client asked for. The new instance gets it. */
  readonly identifier: string;
  /** `null`: the default of the world. */
  readonly ttlMs: number | null;
}

/** Receives the events of a just-in-time load. */
export interface JustInTimeListener extends LoadListener {
  /** Another model is about to be unloaded to make room. */
  unloading(resident: ResidentState): void;
  loading(identifier: string, file: ModelOnDevice): void;
}

/** The instance that serves a name: the instance with this identifier, or an idle copy of the model with this key. */
export function findLoaded(
  runtime: Runtime,
  name: string,
  domain: ModelDomain,
): ResidentState | null {
  const exact = runtime.residents.find(name);
  if (exact?.domain === domain) return exact;
  const copies = runtime.residents.all.filter(
    ({ file, domain: loadedAs }) =>
      loadedAs === domain && [file.modelKey, file.model.modelKey].includes(name),
  );
  return copies.find((copy) => !isBusy(copy)) ?? copies[0] ?? null;
}

/**
 * Loads a model just in time. Concurrent requests share one load, except with the fault duplicate-loads. Where the
 * world has `autoEvict`, a new load first unloads the models of earlier just-in-time loads.
 *
 * @returns the load that this call has started, or `null` where it waits for a load of another call.
 * @throws WireError where the load cannot start.
 */
export function loadJustInTime(
  runtime: Runtime,
  request: JustInTimeRequest,
  listener: JustInTimeListener,
): LoadInProgress | null {
  const { file, domain } = request;
  const { justInTime } = runtime.world;
  const underWay = [...runtime.loads].find((load) => load.file.modelKey === file.modelKey);
  if (underWay && !runtime.faults.triggerFor('duplicate-loads', file.model)) {
    listener.loading(underWay.identifier, file);
    void joinLoad(underWay, listener);
    return null;
  }
  if (justInTime.autoEvict) {
    for (const other of runtime.residents.all) {
      if (!other.justInTime || other.domain !== domain) continue;
      listener.unloading(other);
      // LM Studio evicts even while the model generates: lmstudio-bug-tracker #671 and #1796.
      runtime.residents.unload(other.identifier);
    }
  }
  const load = startLoad(
    runtime,
    {
      file,
      domain,
      // The instance gets the name that was asked for, even where this name is a path.
      identifier: runtime.freeIdentifier(request.identifier),
      ttlMs: request.ttlMs ?? justInTime.ttlMs,
      fields: request.fields,
      justInTime: true,
    },
    listener,
  );
  listener.loading(load.identifier, file);
  return load;
}

async function joinLoad(load: LoadInProgress, listener: JustInTimeListener): Promise<void> {
  const resident = await load.done;
  if (resident) listener.loaded(resident);
  else listener.failed(loadCancelled());
}
