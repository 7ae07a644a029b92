import { checkpointBytes, sequenceStateBytes } from '../memory/memory.js';
import type { MemoryUse } from '../memory/memory.js';
import type { ResidentState } from './resident.js';
import type { MemoryGrowth, SavedPrompt } from '../memory/memory-growth.js';

/** A prediction that has ended. */
export interface EndedPrediction {
  /** The prompt and the answer. */
  readonly text: string;
  /** The tokens of both. */
  readonly tokens: number;
}

/**
 * Adds the growth of a prediction.
 *
 * llama.cpp saves the prompt of an idle slot in RAM and makes checkpoints. MLX enlarges the KV cache. Invented:
 * each prediction saves its prompt and makes one checkpoint. From llama.cpp (`server_prompt_cache` in server-task.cpp):
 * a text that a saved one begins with is not saved again, and a saved text that the new one begins with is dropped.
 */
export function growAfterPrediction(
  resident: ResidentState,
  { text, tokens }: EndedPrediction,
): void {
  const { file, settings, growth, savedPrompts } = resident;
  const bytes = sequenceStateBytes(file.model, settings, tokens);
  if (file.model.format === 'safetensors') {
    resident.growth = { ...growth, kvCacheBytes: Math.max(growth.kvCacheBytes, bytes) };
    return;
  }
  if (savedPrompts.some((saved) => saved.text.startsWith(text))) return;
  const kept = savedPrompts.filter((saved) => !text.startsWith(saved.text));
  const droppedBytes = bytesOf(savedPrompts) - bytesOf(kept);
  resident.savedPrompts = withinLimit([...kept, { text, bytes }], settings.promptCacheBytes);
  resident.growth = bounded(resident, {
    ...growth,
    promptCacheBytes: growth.promptCacheBytes - droppedBytes + bytes,
    checkpointBytes: growth.checkpointBytes + checkpointBytes(file.model, settings, tokens),
  });
}

/** Drops the oldest prompts until the others fit. */
function withinLimit(saved: readonly SavedPrompt[], limitBytes: number): readonly SavedPrompt[] {
  let first = 0;
  let bytes = bytesOf(saved);
  for (; bytes > limitBytes; first += 1) bytes -= saved[first]?.bytes ?? bytes;
  return saved.slice(first);
}

function bytesOf(saved: readonly SavedPrompt[]): number {
  return saved.reduce((sum, { bytes }) => sum + bytes, 0);
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
