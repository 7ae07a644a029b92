import type { Output } from './output.js';

/** Longer lines are hard to read; as in everything else that is printed. */
const MAX_TEXT_WIDTH = 100;

/** An output as wide as its window is now: a live view outlives many a size of it. */
export function fitToWindow(output: Output): Output {
  const { columns } = output.stdout;
  if (columns === null) return output;
  return { ...output, tableWidth: columns, textWidth: Math.min(MAX_TEXT_WIDTH, columns) };
}
