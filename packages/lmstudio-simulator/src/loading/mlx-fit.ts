import type { ModelOnDevice } from '../runtime/device.js';
import type { LoadSettings } from '../memory/load-settings.js';
import { sequenceStateBytes } from '../memory/memory.js';

// Memory that mlx-engine reserves for the parts that its formula does not count: the larger of the two.
const RESERVE_BYTES = 3 * 2 ** 30;
const RESERVE_SHARE = 0.05;
// Tokens that mlx-engine processes at once. It reserves memory for each head's scores of these tokens.
const PREFILL_TOKENS = 2048;
const SCORE_BYTES = 2;
const CACHE_STEP_TOKENS = 256;
const LEAST_TOKENS = 4096;

/**
 * The settings with the context that mlx-engine's autoFit chooses: as many tokens as fit into the memory that the
 * GPU may use. This context replaces the default context, and can be larger. Source: `context_fit.py` of
 * mlx-engine 1.11.0, without the small term for the input.
 */
export function fitMlxContext(settings: LoadSettings, file: ModelOnDevice): LoadSettings {
  const { model, device, sizeBytes } = file;
  const [gpu] = device.machine.gpus;
  if (model.format !== 'safetensors' || !settings.autoFit || gpu === undefined) return settings;
  const { attentionHeads, slidingWindowTokens } = model.geometry;
  // Beyond the window, windowed layers take no more memory.
  const stateAt = (tokens: number): number =>
    sequenceStateBytes(model, settings, slidingWindowTokens + tokens);
  const tokenBytes = stateAt(1) - stateAt(0);
  const scoreBytes = attentionHeads * SCORE_BYTES * PREFILL_TOKENS;
  const reserveBytes = Math.max(RESERVE_BYTES, RESERVE_SHARE * gpu.totalBytes);
  const fitting = (gpu.totalBytes - reserveBytes - sizeBytes) / (tokenBytes + scoreBytes);
  const stepped = Math.ceil(fitting / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;
  const most = model.maxContextLength > 0 ? model.maxContextLength : stepped;
  const contextLengthTokens = Math.max(Math.min(LEAST_TOKENS, most), Math.min(stepped, most));
  return { ...settings, contextLengthTokens };
}
