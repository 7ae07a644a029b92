import type { ModelIndex } from '../architecture/model-index.js';
import { visionEncoderBytes } from '../parts/vision-encoder.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { draftMemory } from './draft-memory.js';
import type { EstimateEnvironment } from './environment.js';
import type { MemoryParts } from './footprint-estimate.js';
import { modelMemory, type ModelMemory } from './model-memory.js';
import { draftIndex, type LoadPlan } from './plan-load.js';

/** The memory of a load by device, with the projector and the draft. */
export interface SettledMemory extends ModelMemory {
  readonly settings: EngineSettings;
  /** Compute buffers of the draft's context and of the projector's encoder; see `ModelMemory.compute`. */
  readonly uncomparedBytes: number;
}

/** The memory of a load, and the least and most that its unknown settings allow. */
export interface LoadMemory {
  readonly expected: SettledMemory;
  readonly ends: readonly SettledMemory[];
}

/** The memory of a plan by device. */
export function memoryOfPlan(index: ModelIndex, plan: LoadPlan): LoadMemory {
  const at = (settings: EngineSettings) => settledMemory(index, plan, settings);
  const expected = at(plan.settings);
  return { expected, ends: plan.ends === null ? [] : [at(plan.ends.low), at(plan.ends.high)] };
}

/** The same memory as if its compute buffers were packed without gaps. */
export function packed({ expected, ends }: LoadMemory): LoadMemory {
  return { expected: withoutSlack(expected), ends: ends.map(withoutSlack) };
}

function withoutSlack(memory: SettledMemory): SettledMemory {
  const { slack, ram, gpus } = memory;
  return {
    ...memory,
    ram: { ...ram, computeBytes: ram.computeBytes - slack.ramBytes },
    gpus: gpus.map((gpu, i) => ({
      ...gpu,
      computeBytes: gpu.computeBytes - (slack.gpuBytes[i] ?? 0),
    })),
  };
}

function settledMemory(
  index: ModelIndex,
  { environment, cpuExpertLayers }: LoadPlan,
  settings: EngineSettings,
): SettledMemory {
  const load = { settings, cpuExpertLayers, gpuWeights: gpuWeights(environment) };
  const model = modelMemory(index, load);
  const draft = draftMemory(index, load, draftIndex(environment));
  const projector = projectorParts(environment, settings);
  const onGpu = settings.gpuLayers > 0 && model.gpus.length > 0;
  const add = (parts: MemoryParts, draftBytes: number, hasProjector: boolean): MemoryParts => ({
    ...parts,
    draftBytes,
    ...(hasProjector ? projector : {}),
  });
  return {
    ...model,
    settings,
    ram: add(model.ram, draft.ramBytes, !onGpu),
    gpus: model.gpus.map((gpu, i) => add(gpu, draft.gpuBytes[i] ?? 0, onGpu && i === 0)),
    uncomparedBytes: draft.computeBytes + projector.visionEncoderBytes,
  };
}

function projectorParts(
  { visionProjector }: EstimateEnvironment,
  { encoderFlashAttention }: EngineSettings,
): Pick<MemoryParts, 'visionProjectorBytes' | 'visionEncoderBytes'> {
  if (visionProjector === null) return { visionProjectorBytes: 0, visionEncoderBytes: 0 };
  return {
    visionProjectorBytes: visionProjector.tensorBytes,
    visionEncoderBytes: visionEncoderBytes(visionProjector, encoderFlashAttention) ?? 0,
  };
}

/** The GPUs' shares of the layers: their free memory, or the mean of the others where it is not known. */
function gpuWeights({ gpus }: EstimateEnvironment): readonly number[] {
  const free = gpus.flatMap(({ availableBytes }) => availableBytes ?? []);
  const mean = free.length > 0 ? free.reduce((sum, bytes) => sum + bytes, 0) / free.length : 1;
  return gpus.map(({ availableBytes }) => availableBytes ?? mean);
}
