import { hostname } from 'node:os';
import path from 'node:path';
import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { CalibrationStore, Engine } from '@mai/memory-estimator';
import { calibrateFootprint, openCalibrationStore } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';

/** Corrects estimates by measured loads on this machine. */
export interface Calibration {
  /**
   * The footprint, corrected by measured loads of this model and of similar models. Without measured
   * loads, the same object.
   */
  readonly correct: (
    footprint: Footprint,
    modelKey: string,
    loadConfig: LoadConfig,
  ) => Promise<Footprint>;
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
    warn(`The measured loads can't be used: ${store.error.message}.`);
  }
  return store;
}

/** Opens the measured loads to correct estimates with them. */
export function openCalibration(context: HostContext, link: RuntimeLink): Calibration {
  const store = openMeasurements(context);
  const elsewhere = link.kind === 'on' && !link.client.host.isLocal;
  let engine: Promise<Engine | null> | null = null;
  return {
    correct: async (footprint, modelKey, loadConfig) => {
      const observations = store.observations();
      const newest = observations.at(-1);
      // Loads that were measured on this machine say nothing about another machine.
      if (newest === undefined || elsewhere) return footprint;
      engine ??= link.kind === 'on' ? engineOf(link.client, context.signal) : Promise.resolve(null);
      // While LM Studio is off, assume the engine of the newest measured load.
      const target = { modelKey, loadConfig, engine: (await engine) ?? newest.engine };
      return calibrateFootprint(footprint, target, observations);
    },
  };
}

/** The engine that runs GGUF models; null where LM Studio does not tell. */
export async function engineOf(
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<Engine | null> {
  try {
    return (await client.surveyHardware({ signal }))?.engine ?? null;
  } catch (error) {
    if (isLMStudioError(error)) return null;
    throw error;
  }
}
