import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { pad } from '../pad.js';
import type { ResolvedSettings } from '../settings/estimate-settings.js';

/** llama.cpp rounds the cells of a cache up to a multiple of this. */
const CELL_PADDING = 256;

/** Sizes that llama.cpp derives from the settings. Source: llama-context.cpp and llama-kv-cache-iswa.cpp. */
export interface RuntimeShape {
  readonly sequences: number;
  /** Separate caches: one for each sequence, or one for all where the cache is unified. */
  readonly streams: number;
  /** Cells in one stream of the cache of a layer with full attention. */
  readonly cells: number;
  /** Cells in one stream of the cache of a sliding-window layer. */
  readonly windowCells: number;
  /** Tokens of the graph that compute buffers are reserved for; a multiple of the sequences. */
  readonly graphTokens: number;
  /** Tokens of that graph that have logits. */
  readonly graphOutputs: number;
}

/** The sizes of a context. */
export function runtimeShape(model: Hyperparameters, settings: ResolvedSettings): RuntimeShape {
  const { parallelSequences: sequences, kvUnified, swaFull } = settings;
  const asked = settings.contextLengthTokens * (kvUnified ? 1 : sequences);
  const padded = pad(asked, CELL_PADDING);
  const cells = kvUnified ? padded : pad(Math.floor(padded / sequences), CELL_PADDING);
  const context = kvUnified ? padded : cells * sequences;
  // llama.cpp limits the batch of a causal model to its context.
  const ubatch = Math.min(settings.ubatchTokens, model.cached ? asked : Infinity);
  const tokens = Math.min(context, ubatch);
  const window = model.window?.sizeTokens ?? 0;
  const windowCells = pad(
    Math.min(cells, window * (kvUnified ? sequences : 1) + ubatch),
    CELL_PADDING,
  );
  return {
    sequences,
    streams: kvUnified ? 1 : sequences,
    cells,
    windowCells: swaFull ? cells : windowCells,
    graphTokens: pad(tokens, sequences),
    graphOutputs: tokens,
  };
}
