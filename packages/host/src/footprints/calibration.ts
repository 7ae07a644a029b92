import { hostname } from 'node:os';
import path from 'node:path';
import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import type { EstimateQuestion } from '@mai/autopilot';
import type { EngineReport } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { CalibrationStore, Engine, Observation } from '@mai/memory-estimator';
import { calibrateFootprint, openCalibrationStore } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import { once } from '../promises/once.js';
import type { ActiveLink, RuntimeLink } from '../runtime/connect-runtime.js';

/** Corrects estimates by measured loads on this machine. */
export interface Calibration {
  /**
   * The footprint, corrected by measured loads of this model and of similar models. Returns the given footprint
   * where no such load was measured.
   */
  readonly correct: (
    footprint: Footprint,
    modelKey: string,
    loadConfig: LoadConfig,
  ) => Promise<Footprint>;
  /** Stores the buffers that an engine printed for an instance. A repeated call for an instance stores nothing. */
  readonly learn: (load: PrintedLoad) => Promise<void>;
}

/** A load whose buffers the engine printed. */
export interface PrintedLoad {
  readonly question: EstimateQuestion;
  readonly report: EngineReport;
  /** The estimate before any correction. */
  readonly predicted: Footprint;
  readonly printed: Footprint;
}

/** Opens the measured loads of this user on this machine. Warns where their file is damaged. */
export function openMeasurements({ folders, warn }: HostContext): CalibrationStore {
  const store = openCalibrationStore({
    file: path.join(folders.data, 'calibration.json'),
    host: hostname(),
  });
  if (store.recoveredFrom !== null) {
    warn(
      `The file of measured loads was damaged. Mai starts a new file and keeps the old one as ${store.recoveredFrom}.`,
    );
  }
  if (store.error !== null) {
    warn(`The measured loads cannot be used: ${store.error.message}.`);
  }
  return store;
}

/** Stores a measured load. Where that fails, only warns, because the load itself has succeeded. */
export async function storeMeasurement(
  store: CalibrationStore,
  { clock, warn }: HostContext,
  measurement: Omit<Observation, 'host' | 'timestampMs'>,
): Promise<void> {
  const { error } = await store.record({
    ...measurement,
    host: hostname(),
    timestampMs: clock.nowMs(),
  });
  if (error !== null) warn(`The measured load cannot be stored: ${error.message}.`);
}

/** The memory of a footprint that a measurement can see: without mapped weights. */
export function privateMemoryOf({ ram, gpus }: Footprint): Observation['predicted'] {
  return { anonymousBytes: ram.anonymousBytes, gpus };
}

/** Opens the measured loads to correct estimates with them. */
export function openCalibration(context: HostContext, link: RuntimeLink): Calibration {
  const store = openMeasurements(context);
  const elsewhere = link.kind === 'on' && !link.client.host.isLocal;
  const engineNow = once(async () => (link.kind === 'on' ? engineOf(link, context.signal) : null));
  const learned = new Set<string>();
  return {
    learn: async ({ question, report, predicted, printed }) => {
      const { modelKey, loadConfig, deviceIdentifier } = question;
      const { reference } = report;
      if (elsewhere || deviceIdentifier !== null) return;
      if (reference === null || learned.has(reference)) return;
      learned.add(reference);
      const measured = { ...privateMemoryOf(printed), method: 'buffers' } as const;
      await storeMeasurement(store, context, {
        modelKey,
        loadConfig,
        engine: report.engine,
        measured,
        predicted: privateMemoryOf(predicted),
      });
    },
    correct: async (footprint, modelKey, loadConfig) => {
      // Another process may have measured since, such as `mai measure`.
      store.refresh();
      const observations = store.observations();
      const newest = observations.at(-1);
      // Loads that were measured on this machine say nothing about another machine.
      if (newest === undefined || elsewhere) return footprint;
      // While LM Studio is off, assume the engine of the newest measured load.
      const target = { modelKey, loadConfig, engine: (await engineNow()) ?? newest.engine };
      return calibrateFootprint(footprint, target, observations);
    },
  };
}

/** The engine that runs GGUF models; null where LM Studio does not name it. */
export async function engineOf(link: ActiveLink, signal: AbortSignal): Promise<Engine | null> {
  if (link.runtime === 'embedded') {
    const [engine] = await link.client.selectedEngines({ signal });
    return engine === undefined ? null : { name: engine.name, version: engine.version };
  }
  try {
    return (await link.client.surveyHardware({ signal }))?.engine ?? null;
  } catch (error) {
    if (isLMStudioError(error)) return null;
    throw error;
  }
}
