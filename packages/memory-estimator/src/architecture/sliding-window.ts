import type { Architecture } from './architectures.js';
import type { MetadataReader } from './metadata-reader.js';

/** The layers that attend only to a window of past tokens, and the size of this window. */
export interface SlidingWindow {
  readonly sizeTokens: number;
  readonly layers: readonly boolean[];
}

/**
 * The sliding window of a model; `null` where every layer attends to the whole context.
 *
 * Architectures without a rule have no window, even if their metadata states a window. For example, llama.cpp
 * ignores the window of Phi-3.
 */
export function slidingWindow(
  architecture: Architecture,
  read: MetadataReader,
  layersInFile: number,
  layers: number,
  recurrent: readonly boolean[],
): SlidingWindow | null {
  const rule = architecture.window;
  if (rule === null) return null;
  if (rule.onlyDepth !== null && rule.onlyDepth !== layers) return null;
  const stated = read.count('attention.sliding_window') ?? rule.defaultSize ?? 0;
  if (stated === 0) return null;
  const sizeTokens = rule.fixedSize ?? stated;
  const listed = read.array('attention.sliding_window_pattern');
  const pattern = read.count('attention.sliding_window_pattern') ?? rule.pattern;
  const windowed = Array.from({ length: layersInFile }, (_, il) => {
    if (rule.pattern === 0) return il < layers && recurrent[il] !== true;
    if (listed !== null) return (listed[il] ?? 0) !== 0;
    if (pattern === null || (il >= layers && architecture.name !== 'exaone-moe')) return false;
    if (pattern === 0) return true;
    return rule.fullFirst ? il % pattern !== 0 : il % pattern < pattern - 1;
  });
  return { sizeTokens, layers: windowed };
}
