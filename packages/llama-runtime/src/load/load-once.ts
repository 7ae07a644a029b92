import { randomBytes, randomUUID } from 'node:crypto';
import { LlamaRuntimeError } from '../errors.js';
import { requireModel } from '../models/find-model.js';
import type { LocalModel, ModelListing } from '../models/model-types.js';
import { startEngine } from '../process/engine-process.js';
import type { GgufMetadata } from '../machine/inspect-messages.js';
import { lockedBytesOf } from '../process/system/locked-memory.js';
import type { EngineSpec } from '../process/messages.js';
import { findProcess } from '../process/system/process-identity.js';
import { type EngineRecord, RECORD_VERSION } from '../residents/registry.js';
import type { Engines, ObservedEngine } from '../residents/engines.js';
import { watchTtl } from '../residents/expiry.js';
import type { LoadResult, NormalizedLoad, ResourceEstimate } from './load-types.js';
import { observe } from '../residents/residents.js';
import { unlessAborted } from '../within.js';
import {
  actualLoadConfig,
  refuseImpossible,
  refuseTooManyCells,
  resolveSpec,
} from './resolve-spec.js';
import { satisfies, verifyLoad } from './verify-load.js';

/** The parts of a runtime that its loads use. */
export interface LoadPorts {
  readonly script: string;
  readonly engine: { readonly name: string; readonly version: string };
  readonly threads: number;
  readonly engines: Engines;
  readonly listModels: (signal: AbortSignal) => Promise<ModelListing>;
  readonly hasGpu: (signal: AbortSignal) => Promise<boolean>;
  readonly readMetadata: (file: string, signal: AbortSignal) => Promise<GgufMetadata | null>;
  readonly estimate: (load: NormalizedLoad, model: LocalModel) => Promise<ResourceEstimate | null>;
}

/**
 * Carries out one load:
 * 1. refuse a configuration that the engine does not have;
 * 2. wait until no other process of this user loads a model;
 * 3. find the model;
 * 4. reuse a resident that serves the request, and refuse where another resident is in the way;
 * 5. ask for the estimate, and refuse where it refuses;
 * 6. start a child process, register it, let it load the model, and kill it where the load fails or is cancelled;
 * 7. register the loaded engine, and compare it with the request.
 */
export async function loadOnce(
  ports: LoadPorts,
  load: NormalizedLoad,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<LoadResult> {
  refuseImpossible(load);
  const { modelKey, identifier: instanceIdentifier } = load;
  return ports.engines.whileAlone({ modelKey, instanceIdentifier }, signal, () =>
    loadAlone(ports, load, signal, onProgress),
  );
}

async function loadAlone(
  ports: LoadPorts,
  load: NormalizedLoad,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<LoadResult> {
  // The caller supplies some of these functions, and a folder can be on a disk that does not answer.
  const wait = <T>(answer: Promise<T>): Promise<T> => unlessAborted(answer, signal);
  const model = requireModel(load.modelKey, (await wait(ports.listModels(signal))).models);
  const asked = { ...load, modelKey: model.modelKey };
  const hasGpu = await wait(ports.hasGpu(signal));
  const reusable = findReusable(asked, await wait(ports.engines.observe(signal)), hasGpu);
  if (reusable !== null) {
    onProgress(1);
    return { instance: reusable, verified: verifyLoad(asked, reusable), reused: true };
  }
  if (asked.checkGuardrails) await wait(checkEstimate(ports, asked, model));
  signal.throwIfAborted();
  const read = (file: string | null | undefined) =>
    file == null ? null : wait(ports.readMetadata(file, signal));
  const conditions = {
    threads: ports.threads,
    hasGpu,
    metadata: hasGpu ? await read(model.files[0]) : null,
    projectorMetadata: await read(model.projectorFile),
  };
  const spec = resolveSpec(asked, model, conditions, randomBytes(32).toString('base64url'));
  refuseTooManyCells(spec);
  const parent = {
    pid: process.pid,
    startTime: (await findProcess(process.pid))?.startTime ?? null,
  };
  const child = await startEngine({
    script: ports.script,
    spec,
    register: (started) => ports.engines.begin(spec, { ...started, parent }),
    signal,
    onProgress,
  });
  try {
    const { token, ...withoutToken } = spec;
    const record: EngineRecord = {
      version: RECORD_VERSION,
      reference: randomUUID(),
      pid: child.pid,
      startTime: child.startTime,
      parent,
      endpoint: { port: child.port, token },
      loadedAtMs: Date.now(),
      engine: ports.engine,
      spec: withoutToken,
      loadConfig: actualLoadConfig(asked, model, hasGpu, { spec, facts: child.facts }),
      keepModelInMemory: await locksWeights(spec, model, child.pid),
      ttlMs: asked.ttlMs,
      model: {
        displayName: model.displayName,
        path: model.path,
        sizeBytes: model.sizeBytes,
        maxContextLengthTokens: model.maxContextLengthTokens,
      },
      facts: child.facts,
    };
    await ports.engines.add(record, child);
    const instance = await observe(record, signal);
    signal.throwIfAborted();
    if (instance === null) throw endedAfterLoad(record);
    const stopWatch = watchTtl(record, () => {
      // The engine may have ended by itself meanwhile. An engine that lives on is in the next list of residents.
      ports.engines.end(record).catch(() => undefined);
    });
    void child.exited.then(stopWatch);
    return { instance, verified: verifyLoad(asked, instance), reused: false };
  } catch (error) {
    await child.end();
    throw error;
  }
}

/**
 * Whether the weights are locked. llama.cpp only warns where the system refuses to lock more memory, so the locked
 * memory is compared with the size of the file. The layers on a GPU are not locked.
 */
async function locksWeights(
  { locksWeights: asked, gpuLayers }: EngineSpec,
  { sizeBytes }: LocalModel,
  pid: number,
): Promise<boolean> {
  if (!asked) return false;
  const lockedBytes = await lockedBytesOf(pid);
  if (lockedBytes === null) return true;
  return gpuLayers === 0 ? lockedBytes >= sizeBytes / 2 : lockedBytes > 0;
}

/**
 * The resident that serves the request. Throws where a resident has the identifier, or is the same model with other
 * settings, because a second copy would take the memory of a second model.
 */
function findReusable(
  load: NormalizedLoad,
  residents: readonly ObservedEngine[],
  hasGpu: boolean,
): ObservedEngine['instance'] | null {
  const instances = residents.map(({ instance }) => instance);
  const match = instances.find((instance) => satisfies(load, instance, hasGpu));
  if (match !== undefined) return match;
  const inTheWay =
    instances.find(({ instanceIdentifier }) => instanceIdentifier === load.identifier) ??
    (load.named ? undefined : instances.find(({ modelKey }) => modelKey === load.modelKey));
  if (inTheWay === undefined) return null;
  const { instanceIdentifier, modelKey } = inTheWay;
  throw new LlamaRuntimeError(
    'LOAD_REFUSED',
    modelKey === load.modelKey
      ? `${modelKey} is already loaded as '${instanceIdentifier}' with other settings. Unload that instance first, or give the new copy another identifier.`
      : `The identifier '${instanceIdentifier}' is in use by ${modelKey}. Unload that instance first, or choose another identifier.`,
    { modelKey: load.modelKey, instanceIdentifier },
  );
}

async function checkEstimate(
  { estimate }: LoadPorts,
  load: NormalizedLoad,
  model: LocalModel,
): Promise<void> {
  const answer = await estimate(load, model);
  if (answer === null || answer.passesGuardrails) return;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new LlamaRuntimeError(
    'LOAD_REFUSED',
    `${load.modelKey} would take about ${gib(answer.totalBytes)} GiB, ${gib(answer.totalVramBytes)} GiB of it on the GPU, which is more than is free. Unload something, or choose a smaller model or a shorter context.`,
    { modelKey: load.modelKey },
  );
}

function endedAfterLoad({ spec }: EngineRecord): LlamaRuntimeError {
  const { modelKey, instanceIdentifier } = spec;
  return new LlamaRuntimeError(
    'ENGINE_CRASHED',
    `The engine process of ${modelKey} ended right after the load. Load the model again.`,
    { modelKey, instanceIdentifier },
  );
}
