import { CRASH_EXIT_CODE } from '../faults/fault.js';
import type { Runtime, LoadInProgress } from '../runtime/runtime.js';
import { formatName, type ModelDomain, type ModelOnDevice } from '../runtime/device.js';
import { loadLines } from './engine-log.js';
import type { ConfigField } from '../wire/frames.js';
import type { LoadSettings } from '../memory/load-settings.js';
import { effectiveFields, readLoadSettings } from '../memory/load-settings.js';
import type { Placement } from '../memory/memory.js';
import { modelBytes, overflowingPool, place } from '../memory/memory.js';
import type { WorldMachine } from '../world/world-machine.js';
import { fitMlxContext } from './mlx-fit.js';
import { passesGuardrails } from './guardrails.js';
import type { ResidentState } from '../runtime/resident.js';
import {
  engineCrashed,
  identifierInUse,
  insufficientResources,
  loadCancelled,
  noRuntime,
  outOfMemory,
  WireError,
} from '../wire/wire-error.js';

/** A request to load a model. */
export interface LoadRequest {
  readonly file: ModelOnDevice;
  readonly domain: ModelDomain;
  /** `null`: LM Studio chooses one. */
  readonly identifier: string | null;
  readonly ttlMs: number | null;
  readonly fields: readonly ConfigField[];
  readonly justInTime: boolean;
}

/** Receives the events of a load. */
export interface LoadListener {
  progress(ratio: number): void;
  loaded(resident: ResidentState): void;
  failed(error: WireError): void;
  /** A fault cuts the connection of this load. */
  drop(): void;
}

/** LM Studio's estimate of a load, and the verdict of the guardrails. */
export interface LoadEstimate {
  readonly placement: Placement;
  readonly settings: LoadSettings;
  readonly passes: boolean;
}

// The machine as the selected engine sees it. An engine for the CPU does not use the GPUs.
function usableMachine(runtime: Runtime, { device, model }: ModelOnDevice): WorldMachine {
  const engine = device.identifier === null ? runtime.engines.forModel(model) : null;
  return engine?.usesGpu === false ? { ...device.machine, gpus: [] } : device.machine;
}

const PROGRESS_STEPS = 20;
const SHORTEST_STEP_MS = 25;

/** Estimates a load with these fields. A given context length replaces that of the fields. */
export function estimateLoad(
  runtime: Runtime,
  file: ModelOnDevice,
  fields: readonly ConfigField[],
  contextLengthTokens: number | null = null,
): LoadEstimate {
  const machine = usableMachine(runtime, file);
  const read = readLoadSettings(fields, file.model, runtime.loadDefaults);
  const settings =
    contextLengthTokens === null ? fitMlxContext(read, file) : { ...read, contextLengthTokens };
  const residents = runtime.memoryInUse(file.device);
  const bytes = modelBytes(file.model, file.sizeBytes, settings);
  const gpuFreeBytes = machine.gpus.map(
    (gpu, index) => gpu.totalBytes - gpu.othersBytes - (residents.gpus[index]?.bytes ?? 0),
  );
  const { expertRatio } = file.model.geometry;
  const contextAtLoad = file.model.format === 'gguf';
  return {
    placement: place(machine, bytes, settings, expertRatio, gpuFreeBytes, contextAtLoad),
    settings,
    passes: passesGuardrails(runtime.world.guardrails, machine, residents, bytes),
  };
}

/**
 * Loads a model. First the guardrails decide. Then the weights are read over time. Then context and compute buffers
 * are allocated. The memory in use grows with the progress, and the load fails where a pool is full.
 *
 * @throws WireError where the load cannot start.
 */
export function startLoad(
  runtime: Runtime,
  request: LoadRequest,
  listener: LoadListener,
): LoadInProgress {
  const { file, fields } = request;
  if (request.identifier !== null && runtime.isTaken(request.identifier)) {
    throw identifierInUse(request.identifier);
  }
  if (file.device.identifier === null && runtime.engines.forModel(file.model) === null) {
    throw noRuntime(formatName(file.model));
  }
  const estimate = estimateLoad(runtime, file, fields);
  const { weights, projector, context } = estimate.placement.bytes;
  const refusal = runtime.faults.triggerFor('refuse-load', file.model);
  if (refusal?.text !== undefined) throw new WireError(refusal.text);
  if (refusal || !estimate.passes) {
    throw insufficientResources(weights + projector + context);
  }
  if (runtime.faults.triggerFor('abort-concurrent-loads', file.model)) {
    for (const other of [...runtime.loads]) other.abort();
  }

  const crash = runtime.faults.triggerFor('crash-load', file.model);
  const exhaustion = runtime.faults.triggerFor('out-of-memory', file.model);
  const stall = runtime.faults.triggerFor('stall-load', file.model);
  const restart = runtime.faults.triggerFor('restart', file.model);
  const drop = runtime.faults.triggerFor('drop-connection', {
    modelKey: file.model.modelKey,
    endpoint: null,
  });
  let dropped = false;
  const { placement, settings } = withFaultyContext(runtime, request, estimate);

  const { machine } = file.device;
  const durationMs = (file.sizeBytes / machine.loadBytesPerSecond / runtime.speed) * 1000;
  const steps = Math.min(PROGRESS_STEPS, Math.max(1, Math.ceil(durationMs / SHORTEST_STEP_MS)));
  let resolveDone: (resident: ResidentState | null) => void = () => {};
  let cancelTimer = (): void => {};
  let step = 0;

  const identifier = request.identifier ?? runtime.freeIdentifier(file.modelKey);
  const engine = runtime.newEngine(identifier);
  const load: LoadInProgress = {
    file,
    identifier,
    use: placement.useAt(0),
    cancel() {
      if (runtime.world.loadAfterCancel === 'continue' || !runtime.loads.has(load)) return;
      cancelTimer();
      const delayMs = runtime.world.cancelConfirmationMs / runtime.speed;
      cancelTimer = runtime.clock.schedule(() => load.abort(), delayMs);
    },
    clientGone() {
      if (runtime.world.loadAfterDisconnect === 'cancel') load.cancel();
    },
    abort: () => fail(loadCancelled()),
    abandon() {
      if (end()) resolveDone(null);
    },
    done: new Promise((resolve) => {
      resolveDone = resolve;
    }),
  };

  const end = (): boolean => {
    cancelTimer();
    return runtime.loads.delete(load);
  };
  const fail = (error: WireError): void => {
    if (!end()) return;
    listener.failed(error);
    resolveDone(null);
  };
  const succeed = (): void => {
    if (!end()) return;
    const resident = runtime.residents.add({
      file,
      domain: request.domain,
      identifier,
      ...engine,
      reportsVariant: runtime.world.instanceKey === 'variant',
      ttlMs: request.ttlMs,
      justInTime: request.justInTime,
      settings,
      fields: effectiveFields(fields, file.model, settings, placement.offloadRatio),
      use: load.use,
    });
    for (const line of loadLines(file, settings, placement)) runtime.logEngine(resident, line);
    listener.loaded(resident);
    resolveDone(resident);
  };

  const advance = (): void => {
    const progress = step / steps;
    // The bytes of context and compute buffers are included only at progress 1.
    load.use = placement.useAt(progress);
    if (drop && !dropped && progress >= (drop.atProgress ?? 0.5)) {
      dropped = true;
      listener.drop();
      if (!runtime.loads.has(load)) return;
    }
    if (restart && progress >= (restart.atProgress ?? 0.5)) {
      runtime.restart(restart.downMs ?? 0);
      return;
    }
    if (crash && progress >= (crash.atProgress ?? 0.5)) {
      fail(engineCrashed(crash.exitCode ?? CRASH_EXIT_CODE));
      return;
    }
    const full = overflowingPool(machine, runtime.memoryInUse(file.device));
    if (full !== null || (exhaustion && progress >= (exhaustion.atProgress ?? 1))) {
      const pool = full ?? exhaustion?.pool ?? (machine.gpus.length > 0 ? 'vram' : 'ram');
      fail(outOfMemory(pool, machine.gpus[0]?.platform ?? 'CPU'));
      return;
    }
    listener.progress(progress);
    if (stall && progress >= (stall.atProgress ?? 0.5)) return;
    if (step++ >= steps) succeed();
    else cancelTimer = runtime.clock.schedule(advance, durationMs / steps);
  };

  runtime.loads.add(load);
  // Starts in a timer, so that the caller gets the handle before the first event.
  cancelTimer = runtime.clock.schedule(advance, 0);
  return load;
}

// Applies the faults that make the context smaller or larger than requested.
function withFaultyContext(
  runtime: Runtime,
  { file, fields }: LoadRequest,
  estimate: LoadEstimate,
): Pick<LoadEstimate, 'placement' | 'settings'> {
  const asked = estimate.settings.contextLengthTokens;
  const { maxContextLength } = file.model;
  const shrink = runtime.faults.triggerFor('shrink-context', file.model);
  const enlarge = runtime.faults.triggerFor('enlarge-context', file.model);
  if (shrink) return estimateLoad(runtime, file, fields, Math.min(shrink.toTokens, asked));
  if (!enlarge) return estimate;
  const wanted = enlarge.toTokens ?? maxContextLength;
  const most = maxContextLength > 0 ? Math.min(maxContextLength, wanted) : wanted;
  return estimateLoad(runtime, file, fields, Math.max(most, asked));
}
