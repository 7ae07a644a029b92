import { DEFAULT_LOAD_CONFIG, type Tier } from '@mai/memory-ledger';
import type { SimulatedModel } from '../machine/simulated-model.js';
import { GIB } from './curves.js';

const CONTEXT_TOKENS = 16_384;

function model(
  tier: Tier,
  gib: { readonly total: number; readonly vram: number },
  quality: number,
  cheaperLoadOptions: SimulatedModel['cheaperLoadOptions'],
): SimulatedModel {
  return {
    profile: {
      modelKey: tier,
      displayName: tier,
      tier,
      capabilities: ['chat'],
      contextLengthTokens: CONTEXT_TOKENS,
      maxContextLengthTokens: 2 * CONTEXT_TOKENS,
      minMemoryBytes: null,
      minVramBytes: null,
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: CONTEXT_TOKENS },
      ttlMs: null,
      downloaded: true,
      refusal: null,
      fileStamp: null,
      expandedFrom: null,
    },
    footprintBytes: gib.total * GIB,
    vramBytes: gib.vram * GIB,
    // A load reads one GiB a second.
    loadMs: Math.round(gib.total * 1000),
    quality,
    cheaperLoadOptions,
  };
}

/** The fallback chain of the scenarios: three models. The two larger ones have a cheaper load option. */
export const SCENARIO_MODELS: readonly SimulatedModel[] = [
  model('large', { total: 16, vram: 15 }, 0.9, [
    { footprintBytes: 14 * GIB, vramBytes: 13 * GIB, quality: 0.88 },
  ]),
  model('medium', { total: 9, vram: 8 }, 0.7, [
    { footprintBytes: 8 * GIB, vramBytes: 7 * GIB, quality: 0.68 },
  ]),
  model('small', { total: 3, vram: 2.5 }, 0.45, []),
];
