import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { runtimeShape } from '../parts/runtime-shape.js';
import type { ImageAttention } from '../parts/image-attention.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import type { ProfileValues } from '../profile/engine-profile.js';

/** The facts of a load that decide which settings matter. */
export interface LoadFacts {
  readonly model: Hyperparameters | null;
  readonly isEmbedding: boolean;
  readonly images: ImageAttention;
  /** Whether the model, or a draft model beside it, can draft tokens. */
  readonly canDraft: boolean;
}

/** Whether a setting has an effect on the memory of this load. */
export function isUsed(
  setting: keyof ProfileValues,
  { model, isEmbedding, images, canDraft }: LoadFacts,
): boolean {
  const hasWindow = (model?.window ?? null) !== null;
  switch (setting) {
    case 'swaFull':
      return hasWindow;
    case 'embeddingBatch':
    case 'embeddingLogits':
    case 'embeddingSequences':
      return isEmbedding;
    case 'cachesLatentValues':
      return model?.latent != null;
    case 'cachesNextToken':
      return (
        model !== null &&
        model.layersInFile > model.layers &&
        model.architecture.nextTokenCache === 'by-engine'
      );
    case 'reservedLogits':
      return !isEmbedding;
    case 'offloadsKvCache':
      return model === null || model.cached || model.recurrent.some(Boolean);
    case 'pinsFlashAttention':
      return model?.cached !== false;
    case 'draftTokens':
      return canDraft;
    case 'encoderFlashAttention':
      return images !== 'none';
    case 'promptCacheBytes':
      return model?.cached !== false;
    case 'checkpointCells':
      return !isEmbedding && hasWindow;
    case 'contextCheckpoints':
      return !isEmbedding && (hasWindow || model?.recurrent.some(Boolean) === true);
    default:
      return true;
  }
}

/** Whether two choices differ only in settings that this load does not use. They then take the same memory. */
export function takeTheSame(one: EngineSettings, other: EngineSettings, facts: LoadFacts): boolean {
  return (
    one.contextLengthTokens === other.contextLengthTokens &&
    one.flashAttention === other.flashAttention &&
    one.ubatchTokens === other.ubatchTokens &&
    one.parallelSequences === other.parallelSequences &&
    (one.kvUnified === other.kvUnified || other.parallelSequences === 1) &&
    (one.cpuKernels === other.cpuKernels || !mayRepack(one)) &&
    (one.castsMask === other.castsMask || !one.flashAttention) &&
    (one.pinsFlashAttention === other.pinsFlashAttention || !mayPinFlashAttention(one)) &&
    haveSameCells(one, other, facts) &&
    (one.reservedLogits === other.reservedLogits || facts.isEmbedding) &&
    NOT_ALWAYS_USED.every((key) => one[key] === other[key] || !isUsed(key, facts))
  );
}

/** Whether a load may repack weights. With a GPU it does not, except with Metal, which copies no weights from the CPU. */
export function mayRepack({ gpuBackend }: EngineSettings): boolean {
  return gpuBackend === 'none' || gpuBackend === 'metal';
}

/** Whether it matters which device computes flash attention over a KV cache in RAM. */
export function mayPinFlashAttention(settings: EngineSettings): boolean {
  return settings.gpuLayers > 0 && !settings.offloadsKvCache && settings.flashAttention;
}

/** Whether two choices pad the cells of the caches to the same number. Without a model, only equal paddings do. */
export function haveSameCells(
  { cellPadding }: EngineSettings,
  other: EngineSettings,
  { model }: LoadFacts,
): boolean {
  if (cellPadding === other.cellPadding) return true;
  if (model === null) return false;
  const own = runtimeShape(model, { ...other, cellPadding });
  const shape = runtimeShape(model, other);
  return own.cells === shape.cells && own.windowCells === shape.windowCells;
}

/** Settings that only some loads use. Settings that change only the growth are not in the list. */
const NOT_ALWAYS_USED = [
  'swaFull',
  'embeddingBatch',
  'embeddingLogits',
  'embeddingSequences',
  'unifiedContext',
  'cachesLatentValues',
  'cachesNextToken',
  'offloadsKvCache',
  'draftTokens',
  'encoderFlashAttention',
] as const satisfies readonly (keyof ProfileValues)[];
