import type { LoadConfig, ModelShape } from '@mai/memory-ledger';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import {
  qualityOf,
  type JudgeQuality,
  type ModelProfile,
  type ModelQuality,
  type QualityUse,
} from '@mai/model-config';

/** The facts about a model that its quality follows from. Unknown is null. */
export interface JudgedModel {
  /** With the user's own figures. */
  readonly profile: Pick<ModelProfile, 'modelKey' | 'displayName' | 'capabilities' | 'quality'>;
  readonly model: DownloadedModel | null;
  readonly shape: ModelShape | null;
  readonly quantization: string | null;
  /** The models that it was fine-tuned or merged from. Empty: not known. */
  readonly baseModels: readonly string[];
}

/**
 * The quality of a model for a use, with what its quantization and its KV cache cost; null where it is not known.
 */
export function modelQuality(
  { profile, model, shape, quantization, baseModels }: JudgedModel,
  loadConfig: LoadConfig,
  use: QualityUse,
  judge: JudgeQuality = qualityOf,
): ModelQuality | null {
  const facts = {
    modelKey: profile.modelKey,
    displayName: profile.displayName,
    baseModels,
    architecture: model?.architecture ?? null,
    parameters: shape?.parameters ?? null,
    activeParameters: shape?.activeParameters ?? null,
    sizeLabel: model?.parameters ?? null,
    quantization: quantization ?? model?.quantization?.name ?? null,
    fileName: model?.format === 'gguf' ? fileNameOf(model) : null,
    capabilities: profile.capabilities,
    reasoning: model?.reasoning ?? null,
    quality: profile.quality,
  };
  return judge(facts, use, loadConfig);
}

/** The name of the file, or the type that a scan has read from it: a model of a store has no path in LM Studio's folder. */
function fileNameOf({ path, quantization }: DownloadedModel): string | null {
  return path === null ? (quantization?.name ?? null) : (path.split(/[\\/]/).at(-1) ?? null);
}
