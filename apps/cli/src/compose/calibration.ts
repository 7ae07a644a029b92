import { hostname } from 'node:os';
import path from 'node:path';
import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { CalibrationStore, Engine } from '@mai/memory-estimator';
import { calibrateFootprint, openCalibrationStore } from '@mai/memory-estimator';
import type { CommandContext } from '../context.js';
import type { LMStudioLink } from './connect-lmstudio.js';

/** What loads on this machine have taken, put to use. */
export interface Calibration {
  /** A footprint corrected by what was measured of this model and its neighbours. */
  readonly correct: (
    footprint: Footprint,
    modelKey: string,
    loadConfig: LoadConfig,
  ) => Promise<Footprint>;
}

/** The measurements of this user on this machine. */
export function openMeasurements({ io, output }: CommandContext): CalibrationStore {
  const store = openCalibrationStore({
    file: path.join(io.folders.data, 'calibration.json'),
    host: hostname(),
  });
  if (store.recoveredFrom !== null) {
    output.warn(
      `The measurements of loads were damaged and start afresh; the old file is kept as ${store.recoveredFrom}.`,
    );
  }
  if (store.error !== null) {
    output.warn(`The measurements of loads can't be used: ${store.error.message}.`);
  }
  return store;
}

export function openCalibration(context: CommandContext, link: LMStudioLink): Calibration {
  const store = openMeasurements(context);
  const elsewhere = link.kind === 'on' && !link.client.host.isLocal;
  let engine: Promise<Engine | null> | null = null;
  return {
    correct: async (footprint, modelKey, loadConfig) => {
      const observations = store.observations();
      const newest = observations.at(-1);
      // What loads take here says nothing about another machine.
      if (newest === undefined || elsewhere) return footprint;
      engine ??= link.kind === 'on' ? engineOf(link.client, context.signal) : Promise.resolve(null);
      // While LM Studio is off, the engine that was measured last is the best guess.
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
