import type { Host, LoadInProgress } from './host.js';
import type { ModelOnDevice } from './device.js';
import type { ConfigField, LoadSettings } from './load-settings.js';
import { effectiveFields, readLoadSettings } from './load-settings.js';
import type { Placement } from './memory.js';
import { modelBytes, overflowingPool, place } from './memory.js';
import { passesGuardrails } from './guardrails.js';
import type { ResidentState } from './resident.js';
import {
  engineCrashed,
  identifierInUse,
  insufficientResources,
  loadCancelled,
  outOfMemory,
  WireError,
} from '../wire/wire-error.js';

export interface LoadOrder {
  readonly file: ModelOnDevice;
  readonly identifier: string | null;
  readonly ttlMs: number | null;
  readonly fields: readonly ConfigField[];
  readonly justInTime: boolean;
}

export interface LoadListener {
  progress(ratio: number): void;
  loaded(resident: ResidentState): void;
  failed(error: WireError): void;
  /** A fault wants the connection of this load cut. */
  drop(): void;
  /** A fault wants LM Studio to restart now. */
  restart(downMs: number): void;
}

/** What LM Studio says a load would take, and whether its guardrails would let it pass. */
export interface LoadEstimate {
  readonly placement: Placement;
  readonly settings: LoadSettings;
  readonly passes: boolean;
}

const PROGRESS_STEPS = 20;
const SHORTEST_STEP_MS = 25;

export function estimateLoad(
  host: Host,
  file: ModelOnDevice,
  fields: readonly ConfigField[],
  contextLengthTokens: number | null = null,
): LoadEstimate {
  const { machine } = file.device;
  const read = readLoadSettings(fields, file.model, host.world.defaultContextLength);
  const settings = contextLengthTokens === null ? read : { ...read, contextLengthTokens };
  const residents = host.memoryInUse(file.device);
  const bytes = modelBytes(file.model, file.sizeBytes, settings);
  const gpuFreeBytes = machine.gpus.map(
    (gpu, index) => gpu.totalBytes - gpu.othersBytes - (residents.gpus[index]?.bytes ?? 0),
  );
  const { expertRatio } = file.model.geometry;
  return {
    placement: place(machine, bytes, settings, expertRatio, gpuFreeBytes),
    settings,
    passes: passesGuardrails(host.world.guardrails, machine, residents, bytes),
  };
}

/**
 * Loads a model: guardrails, then weights over time, then context and buffers. Memory fills up as it
 * goes, and a pool that overflows ends it.
 *
 * @throws WireError where the load does not even start.
 */
export function startLoad(host: Host, order: LoadOrder, listener: LoadListener): LoadInProgress {
  const { file, fields } = order;
  const key = file.model.modelKey;
  if (order.identifier !== null && host.isTaken(order.identifier)) {
    throw identifierInUse(order.identifier);
  }
  const estimate = estimateLoad(host, file, fields);
  const { weights, context } = estimate.placement.bytes;
  const refusal = host.faults.strikeLoad('refuse-load', key);
  if (refusal?.text !== undefined) throw new WireError(refusal.text);
  if (refusal || !estimate.passes) throw insufficientResources(weights + context);
  if (host.faults.strikeLoad('abort-concurrent-loads', key)) {
    for (const other of [...host.loads]) other.cancel();
  }

  const crash = host.faults.strikeLoad('crash-load', key);
  const exhaustion = host.faults.strikeLoad('out-of-memory', key);
  const stall = host.faults.strikeLoad('stall-load', key);
  const restart = host.faults.strikeLoad('restart', key);
  const drop = host.faults.strike(
    'drop-connection',
    (fault) =>
      fault.endpoint === undefined && (fault.modelKey === undefined || fault.modelKey === key),
  );
  let dropped = false;
  const shrink = host.faults.strikeLoad('shrink-context', key);
  const { placement, settings } = shrink
    ? estimateLoad(
        host,
        file,
        fields,
        Math.min(shrink.toTokens, estimate.settings.contextLengthTokens),
      )
    : estimate;

  const { machine } = file.device;
  const durationMs = (file.sizeBytes / machine.loadBytesPerSecond / host.speed) * 1000;
  const steps = Math.min(PROGRESS_STEPS, Math.max(1, Math.ceil(durationMs / SHORTEST_STEP_MS)));
  let resolveDone: (resident: ResidentState | null) => void = () => {};
  let cancelTimer = (): void => {};
  let step = 0;

  const load: LoadInProgress = {
    file,
    identifier: order.identifier ?? host.freeIdentifier(file.modelKey),
    justInTime: order.justInTime,
    use: placement.useAt(0),
    cancel: () => fail(loadCancelled()),
    abandon() {
      if (end()) resolveDone(null);
    },
    done: new Promise((resolve) => {
      resolveDone = resolve;
    }),
  };

  const end = (): boolean => {
    cancelTimer();
    return host.loads.delete(load);
  };
  const fail = (error: WireError): void => {
    if (!end()) return;
    listener.failed(error);
    resolveDone(null);
  };
  const succeed = (): void => {
    if (!end()) return;
    const resident = host.addResident({
      file,
      identifier: load.identifier,
      ttlMs: order.ttlMs,
      justInTime: order.justInTime,
      settings,
      fields: effectiveFields(fields, file.model, settings, placement.offloadRatio),
      use: load.use,
    });
    listener.loaded(resident);
    resolveDone(resident);
  };

  const advance = (): void => {
    const progress = step / steps;
    // The context is allocated after the last of the weights, hence late.
    load.use = placement.useAt(progress);
    if (drop && !dropped && progress >= (drop.atProgress ?? 0.5)) {
      dropped = true;
      listener.drop();
      if (!host.loads.has(load)) return;
    }
    if (restart && progress >= (restart.atProgress ?? 0.5)) {
      listener.restart(restart.downMs ?? 0);
      return;
    }
    if (crash && progress >= (crash.atProgress ?? 0.5)) {
      fail(engineCrashed(crash.exitCode ?? '18446744072635812000'));
      return;
    }
    const full = overflowingPool(machine, host.memoryInUse(file.device));
    if (full !== null || (exhaustion && progress >= (exhaustion.atProgress ?? 1))) {
      const pool = full ?? exhaustion?.pool ?? (machine.gpus.length > 0 ? 'vram' : 'ram');
      fail(outOfMemory(pool, machine.gpus[0]?.platform ?? 'CPU'));
      return;
    }
    listener.progress(progress);
    if (stall && progress >= (stall.atProgress ?? 0.5)) return;
    if (step++ >= steps) succeed();
    else cancelTimer = host.clock.schedule(advance, durationMs / steps);
  };

  host.loads.add(load);
  // Not at once, so that the caller has the handle before the first event.
  cancelTimer = host.clock.schedule(advance, 0);
  return load;
}
