import type { SimulatedModel } from './simulated-model.js';

const GIB = 1024 ** 3;

const model = (
  modelKey: string,
  tier: 'small' | 'medium' | 'large',
  gib: { readonly all: number; readonly vram: number },
  quality: number,
  rungs: SimulatedModel['rungs'],
): SimulatedModel => ({
  profile: {
    modelKey,
    displayName: modelKey,
    tier,
    capabilities: ['chat'],
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 32_768,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: {
      contextLengthTokens: 16_384,
      parallelSequences: null,
      offloadRatio: null,
      kvCacheTypeK: null,
      kvCacheTypeV: null,
      flashAttention: null,
      cpuExpertRatio: null,
    },
    ttlMs: null,
    downloaded: true,
  },
  footprintBytes: gib.all * GIB,
  vramBytes: gib.vram * GIB,
  // A disk that reads a gigabyte a second.
  loadMs: Math.round(gib.all * 1000),
  quality,
  rungs,
});

/** The chain that the scenario library is run with: three sizes, the larger two with a cheaper way. */
export const SCENARIO_MODELS: readonly SimulatedModel[] = [
  model('large', 'large', { all: 16, vram: 15 }, 0.9, [
    { footprintBytes: 14 * GIB, vramBytes: 13 * GIB, quality: 0.88 },
  ]),
  model('medium', 'medium', { all: 9, vram: 8 }, 0.7, [
    { footprintBytes: 8 * GIB, vramBytes: 7 * GIB, quality: 0.68 },
  ]),
  model('small', 'small', { all: 3, vram: 2.5 }, 0.45, []),
];
