import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { keyWidthOf, valueWidthOf } from '../architecture/hyperparameters.js';
import { rowBytes } from '../gguf/tensor-types.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { cacheLayout, recurrentBytesOfLayer } from './context-buffers.js';

/**
 * Memory that a model may take after its load, as anonymous memory of the engine's process. llama.cpp grows by the
 * first two kinds, in RAM. mlx-engine grows by all but the second, where its weights are.
 */
export interface GrowthPart {
  readonly kind:
    | 'prompt-cache'
    | 'context-checkpoints'
    | 'kv-cache'
    | 'sequence-state'
    | 'prompt-inputs'
    | 'attention-scores'
    | 'engine-reserve';
  /** The most bytes. How many are used depends on the prompts. */
  readonly mostBytes: number;
  /** `false`: this version may also not have it at all. */
  readonly isKnown: boolean;
  readonly source: string;
}

/** What a model may grow to after its load. It is not part of any total. */
export interface Growth {
  readonly mostBytes: number;
  readonly parts: readonly GrowthPart[];
}

/**
 * What a load may grow by. The engine keeps the caches of idle slots in RAM (prompt cache), and copies of the
 * recurrent state and of the windowed cache of each slot, to return to an earlier token (context checkpoints).
 *
 * @param settings Those that take the most memory, where some are not known.
 */
export function growthOf(
  model: Hyperparameters | null,
  settings: EngineSettings,
  profile: EngineProfile,
): Growth {
  const { promptCacheBytes, contextCheckpoints, parallelSequences, isEmbedding } = settings;
  // An embedding model does not continue earlier prompts.
  if (isEmbedding) return { mostBytes: 0, parts: [] };
  const { promptCacheBytes: cache, contextCheckpoints: checkpoints, swaFull } = profile.settings;
  const windowBytes = swaFull.value && isFixed(swaFull) ? 0 : windowedBytes(model, settings);
  const checkpointBytes = recurrentBytes(model) + windowBytes;
  const parts: GrowthPart[] = [
    {
      kind: 'prompt-cache',
      mostBytes: promptCacheBytes,
      isKnown: isFixed(cache),
      source: cache.source,
    },
    {
      kind: 'context-checkpoints',
      mostBytes: contextCheckpoints * parallelSequences * checkpointBytes,
      isKnown: isFixed(checkpoints) && (windowBytes === 0 || isFixed(swaFull)),
      source: checkpoints.source,
    },
  ];
  const present = parts.filter(({ mostBytes }) => mostBytes > 0);
  return { mostBytes: present.reduce((sum, part) => sum + part.mostBytes, 0), parts: present };
}

function isFixed({ alternatives }: { readonly alternatives: readonly unknown[] }): boolean {
  return alternatives.length === 0;
}

/** The recurrent state of one sequence. */
function recurrentBytes(model: Hyperparameters | null): number {
  if (model === null) return 0;
  return model.recurrent.filter(Boolean).length * recurrentBytesOfLayer(model);
}

/** The windowed cache of one sequence: the window, and the batch that is being processed. */
function windowedBytes(model: Hyperparameters | null, settings: EngineSettings): number {
  const window = model?.window ?? null;
  if (model === null || window === null) return 0;
  const tokens = Math.min(settings.contextLengthTokens, window.sizeTokens + settings.ubatchTokens);
  let rows = 0;
  for (let il = 0; il < model.layers; il += 1) {
    if (window.layers[il] !== true || model.attention[il] !== true) continue;
    rows += rowBytes(cacheLayout(settings.kvCacheTypeK), keyWidthOf(model, il));
    if (model.latent === null)
      rows += rowBytes(cacheLayout(settings.kvCacheTypeV), valueWidthOf(model, il));
  }
  return tokens * rows;
}
