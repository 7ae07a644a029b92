import type { FootprintGrowth } from '@mai/memory-ledger';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { keyWidthOf, valueWidthOf } from '../architecture/hyperparameters.js';
import { rowBytes } from '../gguf/tensor-types.js';
import type { SettingEnds } from '../load/choose-settings.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { cacheLayout, outputGrowthBytes, stateBytesByLayer } from '../parts/context-buffers.js';
import { runtimeShape } from '../parts/runtime-shape.js';

/**
 * Memory that a model may take after its load. It is anonymous memory of the engine's process. llama.cpp takes the
 * first three kinds, in RAM. mlx-engine takes all kinds except the second and the third, on the device of the weights.
 */
export interface GrowthPart {
  readonly kind:
    | 'prompt-cache'
    | 'embedding-outputs'
    | 'context-checkpoints'
    | 'kv-cache'
    | 'sequence-state'
    | 'prompt-inputs'
    | 'attention-scores'
    | 'engine-reserve';
  /** Maximum in bytes. The prompts decide how many bytes are used. */
  readonly mostBytes: number;
  /** `false`: it is not known whether this version takes this memory at all. */
  readonly isKnown: boolean;
  readonly source: string;
}

/** Memory that a model may take after its load. It is not part of any total. */
export interface Growth extends FootprintGrowth {
  readonly mostBytes: number;
  readonly parts: readonly GrowthPart[];
}

/**
 * llama-server saves every idle slot at the start of a task of any kind (`cache_idle_slots`). A llama-server of b10257 took
 * 7.98 GiB within 200 embeddings of Qwen3-Embedding-0.6B (defilantech/LLMKube #1406).
 */
const PROMPTS_OF_EMBEDDINGS =
  'filled by embeddings in llama-server b10257 (defilantech/LLMKube #1406); not known for other engines';

/**
 * The largest state of one sequence (recurrent state and window) relative to the weights, for models whose shape is not known.
 * Of the models in `test/corpus/headers` and `bench/data/lmstudio-loads`, gemma-2-2b has the largest: a window of 208 MiB
 * beside 1.59 GiB (12.8 %). LM Studio's runtimes printed 1 % (Qwen3.8-27B) and less.
 */
export const MOST_STATE_SHARE = 0.15;

/**
 * The same for an architecture whose models all have a small window. The headers of gpt-oss-20b and gpt-oss-120b give a window
 * of 0.026 % and 0.007 % of the weights (128 tokens). The margin is for models with fewer experts and other quantizations.
 */
const STATE_SHARES: ReadonlyMap<string, number> = new Map([['gpt-oss', 0.002]]);

/** The largest state of one sequence relative to the weights of a model of which only the architecture is known. */
export function mostStateShare(architecture: string | null): number {
  return STATE_SHARES.get(architecture ?? '') ?? MOST_STATE_SHARE;
}

/** Facts about the memory of one sequence that a model's shape does not contain. */
export interface SequenceFacts {
  /** The most that one sequence's recurrent state and windowed cache may take beyond what the shape states. */
  readonly unknownStateBytes: number;
  /** Whether a model of unknown shape may keep a cache or a state. Encoders such as BERT keep none. */
  readonly mayKeepCache: boolean;
}

/**
 * The growth of a load of llama.cpp. An embedding model's output buffer grows with the longest input. The engine keeps the caches
 * of idle slots in RAM (prompt cache), also those of an embedding model, although it never reads them again. It also keeps copies of
 * the recurrent state and of the windowed cache of each slot, so that it can return to an earlier token (context checkpoints). An
 * embedding model gets no checkpoints (`SERVER_TASK_TYPE_COMPLETION` in server-context.cpp).
 *
 * @param model `null`: the model's shape is not known. The outputs of an embedding model are then left out.
 */
export function growthOf(
  model: Hyperparameters | null,
  ends: SettingEnds,
  { settings: sources }: EngineProfile,
  { unknownStateBytes, mayKeepCache }: SequenceFacts = { unknownStateBytes: 0, mayKeepCache: true },
): Growth {
  const { low, high } = ends;
  const { isEmbedding } = high;
  const { source } = sources.promptCacheBytes;
  const promptCache: GrowthPart = {
    kind: 'prompt-cache',
    mostBytes: (model?.cached ?? mayKeepCache) ? high.promptCacheBytes : 0,
    isKnown: !isEmbedding && low.promptCacheBytes === high.promptCacheBytes,
    source: isEmbedding ? `${source}; ${PROMPTS_OF_EMBEDDINGS}` : source,
  };
  if (isEmbedding)
    return sumGrowth(
      model === null ? [promptCache] : [outputs(model, ends, sources), promptCache],
      null,
    );
  // The engine does not copy a full-size cache, because a full-size cache keeps earlier tokens. The low end is
  // full-size only if the setting is known.
  const windowBytes = low.swaFull ? 0 : windowedBytes(model, high);
  // A state that is not known may be a windowed cache, of which a checkpoint may copy the windows of all sequences.
  const windows = high.checkpointCells === 'cache' ? high.parallelSequences : 1;
  const stateBytes = recurrentBytes(model) + windowBytes + windows * unknownStateBytes;
  const slots = high.parallelSequences;
  const parts: readonly GrowthPart[] = [
    promptCache,
    {
      kind: 'context-checkpoints',
      mostBytes: Math.round(high.contextCheckpoints * slots * stateBytes),
      isKnown:
        unknownStateBytes === 0 &&
        low.contextCheckpoints === high.contextCheckpoints &&
        (windowBytes === 0 ||
          (low.swaFull === high.swaFull && low.checkpointCells === high.checkpointCells)),
      source:
        windowBytes === 0
          ? sources.contextCheckpoints.source
          : `${sources.contextCheckpoints.source}; ${sources.checkpointCells.source}`,
    },
  ];
  return sumGrowth(parts, null);
}

function outputs(
  model: Hyperparameters,
  { low, high }: SettingEnds,
  sources: EngineProfile['settings'],
): GrowthPart {
  return {
    kind: 'embedding-outputs',
    mostBytes: outputGrowthBytes(model, high),
    isKnown: low.embeddingLogits === high.embeddingLogits,
    source: sources.embeddingLogits.source,
  };
}

/**
 * Adds up the growth on one device. Parts of 0 bytes are left out.
 *
 * @param deviceKey The GPU; `null`: RAM.
 */
export function sumGrowth(parts: readonly GrowthPart[], deviceKey: string | null): Growth {
  const present = parts.filter(({ mostBytes }) => mostBytes > 0);
  const mostBytes = present.reduce((sum, part) => sum + part.mostBytes, 0);
  return deviceKey === null
    ? { mostBytes, ramBytes: mostBytes, gpus: [], parts: present }
    : { mostBytes, ramBytes: 0, gpus: [{ deviceKey, bytes: mostBytes }], parts: present };
}

/**
 * The growth of a footprint whose interval was narrowed.
 *
 * @param share The share of the interval's margin that was kept, 0 to 1.
 */
export function growthBeside(
  growth: FootprintGrowth | null,
  share: number,
): FootprintGrowth | null {
  const included = growth?.inUpperEndBytes;
  return growth === null || included === undefined
    ? growth
    : { ...growth, inUpperEndBytes: Math.floor(share * included) };
}

/** The recurrent state of one sequence. */
function recurrentBytes(model: Hyperparameters | null): number {
  if (model === null) return 0;
  return stateBytesByLayer(model).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * The windowed cache of one sequence in a checkpoint. A cache keeps tokens that have left the window until it needs their cells.
 * In a cache that the sequences share, one sequence can have almost all cells.
 */
function windowedBytes(model: Hyperparameters | null, settings: EngineSettings): number {
  const window = model?.window ?? null;
  if (model === null || window === null) return 0;
  const cells =
    settings.checkpointCells === 'window'
      ? window.sizeTokens
      : runtimeShape(model, { ...settings, swaFull: false }).windowCells;
  const tokens = Math.min(settings.contextLengthTokens, cells);
  let rows = 0;
  for (let il = 0; il < model.layers; il += 1) {
    if (window.layers[il] !== true || model.attention[il] !== true) continue;
    rows += rowBytes(cacheLayout(settings.kvCacheTypeK), keyWidthOf(model, il));
    if (model.latent === null && model.compression === null)
      rows += rowBytes(cacheLayout(settings.kvCacheTypeV), valueWidthOf(model, il));
  }
  return tokens * rows;
}
