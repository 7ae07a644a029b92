import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { qualityOf, type ModelQuality } from './quality-of.js';

/** `qualityOf`, or a function that gives the same answers. */
export type JudgeQuality = typeof qualityOf;

/** Keeps answers by the text of their question. */
export interface QualityStore {
  /** Null where the store does not have the question. */
  get(question: string): { readonly answer: ModelQuality | null } | null;
  set(question: string, kept: { readonly answer: ModelQuality | null }): void;
}

/**
 * `qualityOf` with a store, which may be kept in a file: about 100 derived figures take 10 ms in a new process. The store must be
 * empty for another version of this package, because its tables may have changed.
 */
export function rememberQualities(store: QualityStore): JudgeQuality {
  return (facts, use, loadConfig = DEFAULT_LOAD_CONFIG) => {
    const { kvCacheTypeK, kvCacheTypeV } = loadConfig;
    const { modelKey, displayName, baseModels, architecture, capabilities, quality } = facts;
    const { parameters, activeParameters, sizeLabel, quantization, fileName, reasoning } = facts;
    const question = JSON.stringify([
      modelKey,
      displayName,
      baseModels,
      architecture,
      capabilities,
      quality,
      parameters,
      activeParameters,
      sizeLabel,
      quantization,
      reasoning,
      fileName,
      use,
      kvCacheTypeK,
      kvCacheTypeV,
    ]);
    const kept = store.get(question);
    if (kept !== null) return kept.answer;
    const answer = qualityOf(facts, use, loadConfig);
    store.set(question, { answer });
    return answer;
  };
}
