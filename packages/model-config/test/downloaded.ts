import type { DownloadedModel } from '../src/profile/downloaded-model.js';

/** A downloaded model. `facts` replace its default values. */
export function downloadedModel(
  modelKey: string,
  facts: Partial<DownloadedModel> = {},
): DownloadedModel {
  return {
    modelKey,
    kind: 'llm',
    displayName: modelKey,
    architecture: 'llama',
    quantization: { name: 'Q4_K_M', bits: 4 },
    sizeBytes: 4 * 1024 ** 3,
    parameters: null,
    maxContextLengthTokens: 131_072,
    vision: false,
    toolUse: false,
    reasoning: null,
    variants: [],
    selectedVariant: null,
    deviceIdentifier: null,
    ...facts,
  };
}
