import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { pad } from '../pad.js';
import type { EngineSettings } from '../settings/estimate-settings.js';

/** Sizes that llama.cpp derives from the settings. Source: llama-context.cpp and llama-kv-cache-iswa.cpp. */
export interface RuntimeShape {
  readonly sequences: number;
  /** Copies of the recurrent state of each sequence: one, and one more for each draft token that may be rejected. */
  readonly stateCopies: number;
  /** Separate caches: one for each sequence, or one for all where the cache is unified. */
  readonly streams: number;
  /** Cells in one stream of the cache of a layer with full attention. */
  readonly cells: number;
  /** Cells in one stream of the cache of a sliding-window layer. */
  readonly windowCells: number;
  /** Number of tokens in the graph that compute buffers are reserved for. It is a multiple of the sequences. */
  readonly graphTokens: number;
  /** Number of tokens in that graph that have logits. */
  readonly graphOutputs: number;
}

/** The sizes of a context. */
export function runtimeShape(model: Hyperparameters, settings: EngineSettings): RuntimeShape {
  const { contextLengthTokens, kvUnified, swaFull, isEmbedding } = settings;
  const isSingle = isEmbedding && settings.embeddingSequences === 'single';
  const sequences = isSingle ? 1 : settings.parallelSequences;
  const isShared = kvUnified && settings.unifiedContext === 'shared';
  const asked = contextLengthTokens * (isShared ? 1 : sequences);
  const padding = paddingOf(settings);
  const padded = pad(asked, padding);
  const cells = kvUnified ? padded : pad(Math.floor(padded / sequences), padding);
  const context = kvUnified ? padded : cells * sequences;
  // llama.cpp limits the batch of a causal model to its context.
  const askedBatch = isEmbedding ? embeddingBatch(settings, asked) : settings.ubatchTokens;
  const ubatch = Math.min(askedBatch, model.cached ? asked : Infinity);
  const tokens = Math.min(context, ubatch);
  const window = model.window?.sizeTokens ?? 0;
  // Each sequence of a model with compressed caches has its own, even where the cache is unified.
  const isUnified = kvUnified && model.compression === null;
  const windowCells = pad(Math.min(cells, window * (isUnified ? sequences : 1) + ubatch), padding);
  const stateCopies = 1 + settings.draftTokens;
  // Embeddings are pooled from the outputs of all tokens.
  const asksAll = isEmbedding || settings.reservedLogits === 'micro-batch';
  return {
    sequences,
    stateCopies,
    streams: isUnified ? 1 : sequences,
    cells,
    windowCells: swaFull ? cells : windowCells,
    graphTokens: pad(tokens, sequences),
    graphOutputs: asksAll ? tokens : Math.min(tokens, sequences * stateCopies),
  };
}

function paddingOf({ cellPadding, flashAttention }: EngineSettings): number {
  if (cellPadding === 'none') return 1;
  return cellPadding === 'by-attention' && !flashAttention ? 32 : 256;
}

function embeddingBatch(
  { embeddingBatch: batch, contextLengthTokens, ubatchTokens }: EngineSettings,
  askedContext: number,
): number {
  if (batch === 'as-set') return ubatchTokens;
  return batch === 'context' ? askedContext : Math.min(contextLengthTokens, batch);
}
