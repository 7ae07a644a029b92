import type { LoadConfig } from '../src/settings/load-config.js';

/** A configuration that leaves everything to LM Studio but the number of sequences. */
export const ONE_SEQUENCE: LoadConfig = {
  contextLengthTokens: null,
  parallelSequences: 1,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};
