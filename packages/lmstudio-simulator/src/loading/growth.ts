import { checkpointBytes, sequenceStateBytes } from './memory.js';
import type { MemoryUse } from './memory.js';
import type { ResidentState } from '../runtime/resident.js';

/** The growth of an instance since its load, in bytes. */
export interface MemoryGrowth {
  /** Saved prompts, in RAM. */
  readonly promptCacheBytes: number;
  /** Saved windowed and recurrent states, in RAM. */
  readonly checkpointBytes: number;
  /** The KV cache of the MLX engine, which is allocated with the tokens. 0 for llama.cpp. */
  readonly kvCacheBytes: number;
}

export const NO_GROWTH: MemoryGrowth = { promptCacheBytes: 0, checkpointBytes: 0, kvCacheBytes: 0 };

/**
 * The growth after a prediction.
 *
 * llama.cpp saves the prompt of an idle slot in RAM and makes checkpoints. MLX enlarges the KV cache. Invented:
 * each prediction adds one saved prompt and one checkpoint.
 *
 * @param tokens - the tokens of prompt and answer.
 */
export function growAfterPrediction(resident: ResidentState, tokens: number): MemoryGrowth {
  const { file, settings, growth } = resident;
  const state = sequenceStateBytes(file.model, settings, tokens);
  if (file.model.format === 'safetensors') {
    return { ...growth, kvCacheBytes: Math.max(growth.kvCacheBytes, state) };
  }
  const checkpoint = checkpointBytes(file.model, settings, tokens);
  return bounded(resident, {
    ...growth,
    promptCacheBytes: growth.promptCacheBytes + state,
    checkpointBytes: growth.checkpointBytes + checkpoint,
  });
}

/** Keeps a growth within the limits of the engine. */
export function bounded({ file, settings }: ResidentState, growth: MemoryGrowth): MemoryGrowth {
  const { model } = file;
  const checkpoints = settings.contextCheckpoints * settings.parallelSequences;
  const largest = checkpointBytes(model, settings, settings.contextLengthTokens);
  return {
    ...growth,
    promptCacheBytes: Math.min(growth.promptCacheBytes, settings.promptCacheBytes),
    checkpointBytes: Math.min(growth.checkpointBytes, checkpoints * largest),
  };
}

/** The memory that an instance takes now, including its growth. */
export function residentUse({ file, use, growth }: ResidentState): MemoryUse {
  const { gpus } = file.device.machine;
  const [first] = gpus;
  const grown = growth.promptCacheBytes + growth.checkpointBytes;
  const inRam = first === undefined || first.memory === 'shared';
  return {
    ram: {
      ...use.ram,
      anonymousBytes: use.ram.anonymousBytes + grown + (inRam ? growth.kvCacheBytes : 0),
    },
    gpus: gpus.map(({ deviceKey }, index) => ({
      deviceKey,
      bytes: (use.gpus[index]?.bytes ?? 0) + (index === 0 ? growth.kvCacheBytes : 0),
    })),
  };
}
