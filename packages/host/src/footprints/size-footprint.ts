import type { ResourceEstimate } from '@mai/lmstudio-adapter';
import { estimateFromFileSize, growthBySize } from '@mai/memory-estimator';
import type { Footprint, FootprintGrowth } from '@mai/memory-ledger';
import type { ModelProfile } from '@mai/model-config';
import type { QuestionedLoad } from './header-footprint.js';

/**
 * The footprint by the size of the file. Where LM Studio's list lacks that size, for example because the model was
 * deleted after its load, the resident or LM Studio's estimate supplies the size of the weights.
 */
export function fromSize(
  { loadConfig, environment, model, resident }: QuestionedLoad,
  theirs: ResourceEstimate | null,
): Footprint | null {
  const sizes = [model?.sizeBytes, theirs?.weightsBytes, theirs?.totalBytes, resident?.sizeBytes];
  const sizeBytes = sizes.find((bytes) => bytes !== undefined && bytes > 0);
  const format = model?.format ?? 'gguf';
  const isEmbedding = (model ?? resident)?.kind === 'embedding';
  return sizeBytes === undefined
    ? null
    : estimateFromFileSize(
        { sizeBytes, format, isEmbedding, architecture: model?.architecture ?? null },
        loadConfig,
        environment,
      );
}

/** The growth of a model of which only the configuration states a size. */
export function growthOfSize(
  { loadConfig, environment, model, resident }: QuestionedLoad,
  profile: ModelProfile | null,
  sizeBytes: number,
): FootprintGrowth {
  const isEmbedding =
    (model ?? resident)?.kind === 'embedding' ||
    profile?.capabilities.includes('embedding') === true;
  const { format = 'gguf', architecture = null } = model ?? {};
  return growthBySize({ sizeBytes, format, isEmbedding, architecture }, loadConfig, environment);
}
