import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { pad } from '../pad.js';
import type { ResolvedSettings } from './estimate-settings.js';

/** llama.cpp rounds contexts and windowed caches up to this many cells. */
const CELL_PADDING = 256;

/** What llama.cpp makes of the settings: llama-context.cpp and llama-kv-cache-iswa.cpp. */
export interface RuntimeShape {
  readonly sequences: number;
  /** Caches that the sequences are split over: one if unified. */
  readonly streams: number;
  /** Cells of a full layer's cache in one stream. */
  readonly cells: number;
  /** Cells of a windowed layer's cache in one stream. */
  readonly windowCells: number;
  /** Tokens of the largest graph that is reserved; a multiple of the sequences. */
  readonly graphTokens: number;
  /** How many of them give logits in that graph. */
  readonly graphOutputs: number;
}

/** The shape of a context. */
export function runtimeShape(model: Hyperparameters, settings: ResolvedSettings): RuntimeShape {
  const { parallelSequences: sequences, kvUnified, swaFull } = settings;
  const asked = settings.contextLengthTokens * (kvUnified ? 1 : sequences);
  const padded = pad(asked, CELL_PADDING);
  const cells = kvUnified ? padded : pad(Math.floor(padded / sequences), CELL_PADDING);
  const context = kvUnified ? padded : cells * sequences;
  // A causal model takes no larger batch than its context.
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
