import { isGgufArray } from '../gguf/gguf-header.js';
import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../load/environment.js';
import type { LoadPlan } from '../load/plan-load.js';
import type { SettingEnds } from '../load/choose-settings.js';
import { visionEncoderBytes } from '../graph/vision-encoder.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { draftMemory } from './draft-memory.js';
import type { MemoryParts } from './memory-parts.js';
import { modelMemory, type ModelMemory } from './model-memory.js';

/** The largest usual buffer of an encoder with flash attention. Used where a projector's header lacks sizes. */
const LARGEST_ENCODER_BYTES = 512 * 1024 * 1024;

/** The memory of a load by device, with the projector and the draft. */
export interface SettledMemory extends ModelMemory {
  /** The slack of the draft's context; see `ModelMemory.slack`. */
  readonly draftSlack: ModelMemory['slack'];
  /**
   * Bytes in the buffers of the draft's context and of the encoder. Few real loads were compared with these buffers.
   */
  readonly uncomparedBytes: number;
}

/** The memory of a load, with its minimum and maximum over the unknown settings. */
export interface LoadMemory {
  readonly expected: SettledMemory;
  readonly ends: readonly SettledMemory[];
}

/** The memory of a plan by device. */
export function memoryOfPlan(index: ModelIndex, plan: LoadPlan): LoadMemory {
  const expected = settledMemory(index, plan, plan.settings);
  const at = (end: keyof SettingEnds) =>
    plan.equalsEnd[end] ? expected : settledMemory(index, plan, plan.ends[end]);
  const ends = plan.isCertain ? [] : [at('low'), at('high')];
  const { visionProjector } = plan.environment;
  const knowsEncoder =
    visionProjector === null || visionEncoderBytes(visionProjector, true) !== null;
  return { expected, ends: knowsEncoder ? ends : [...ends, withEncoder(ends.at(-1) ?? expected)] };
}

/** The memory of a load whose encoder has the largest usual buffer. */
function withEncoder(memory: SettledMemory): SettledMemory {
  const largest = <T extends MemoryParts>(parts: T): T =>
    parts.visionProjectorBytes > 0
      ? { ...parts, visionEncoderBytes: LARGEST_ENCODER_BYTES }
      : parts;
  return { ...memory, ram: largest(memory.ram), gpus: memory.gpus.map(largest) };
}

/** The memory that a load would take if its compute buffers were packed without gaps. */
export function packed({ expected, ends }: LoadMemory): LoadMemory {
  return { expected: withoutSlack(expected), ends: ends.map(withoutSlack) };
}

function withoutSlack(memory: SettledMemory): SettledMemory {
  const { slack, draftSlack, ram, gpus } = memory;
  const tight = (parts: MemoryParts, slackBytes: number, draftSlackBytes: number): MemoryParts => ({
    ...parts,
    computeBytes: parts.computeBytes - slackBytes,
    draftBytes: parts.draftBytes - draftSlackBytes,
  });
  return {
    ...memory,
    ram: tight(ram, slack.ramBytes, draftSlack.ramBytes),
    gpus: gpus.map((gpu, i) => tight(gpu, slack.gpuBytes[i] ?? 0, draftSlack.gpuBytes[i] ?? 0)),
  };
}

function settledMemory(
  index: ModelIndex,
  { environment, cpuExpertLayers }: LoadPlan,
  settings: EngineSettings,
): SettledMemory {
  const load = { settings, cpuExpertLayers, gpuWeights: gpuWeights(environment) };
  const model = modelMemory(index, load);
  const { draftModel } = environment;
  const drafter = draftModel === null ? null : indexModel(draftModel);
  const draft = draftMemory(index, load, drafter);
  const projector = projectorParts(environment, settings);
  const onGpu = settings.gpuLayers > 0 && model.gpus.length > 0;
  const add = (parts: MemoryParts, draftBytes: number, hasProjector: boolean): MemoryParts => ({
    ...parts,
    draftBytes,
    ...(hasProjector ? projector : {}),
  });
  return {
    ...model,
    draftSlack: draft.slack,
    ram: {
      ...add(model.ram, draft.ramBytes, !onGpu),
      engineBytes: engineBytes(index, environment),
    },
    gpus: model.gpus.map((gpu, i) => add(gpu, draft.gpuBytes[i] ?? 0, onGpu && i === 0)),
    uncomparedBytes: draft.computeBytes + projector.visionEncoderBytes,
  };
}

function engineBytes({ header }: ModelIndex, { profile }: EstimateEnvironment): number {
  if (profile.engineMemory === null) return 0;
  const { modelBytes, tokenBytes, mergeBytes } = profile.engineMemory;
  const count = (name: string): number => {
    const list = header.metadata.get(`tokenizer.ggml.${name}`);
    return isGgufArray(list) ? list.length : 0;
  };
  return modelBytes + tokenBytes * count('tokens') + mergeBytes * count('merges');
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

/**
 * The GPUs' shares of the layers, in proportion to free memory. Unknown free memory counts as the mean of the other
 * GPUs.
 */
function gpuWeights({ gpus }: EstimateEnvironment): readonly number[] {
  const free = gpus.flatMap(({ availableBytes }) => availableBytes ?? []);
  const mean = free.length > 0 ? free.reduce((sum, bytes) => sum + bytes, 0) / free.length : 1;
  return gpus.map(({ availableBytes }) => availableBytes ?? mean);
}
