import { formatSpeed } from '../words.js';
import type { Comparison } from './compare-models.js';
import { plotPoints, plotScale } from './plot-points.js';

/** The size of a plot in characters. */
export interface PlotSize {
  readonly width: number;
  readonly height: number;
  /** Whether lines may be drawn with Unicode. */
  readonly unicode: boolean;
}

/** Columns of the labels of the qualities. */
const LABELS = 5;
/** Fewest columns of the area of the plot. A narrower terminal wraps its lines. */
const MIN_COLUMNS = 10;

/**
 * A plot of quality against speed for a terminal: each model is the number of its line in the table. Where models lie on the same
 * character, the better one is shown. Empty where no model has both figures.
 */
export function plotText(comparison: Comparison, { width, height, unicode }: PlotSize): string {
  const points = plotPoints(comparison);
  if (points.length === 0) return '';
  const scale = plotScale(points, comparison);
  const [vertical, corner, horizontal, minimum] = unicode
    ? ['│', '└', '─', '┊']
    : ['|', '+', '-', ':'];
  const columns = Math.max(MIN_COLUMNS, width - LABELS - 2);
  const column = (share: number): number => Math.round(share * (columns - 2));
  const row = (share: number): number => Math.round((1 - share) * (height - 1));
  const cells = Array.from({ length: height }, () => new Array<string>(columns).fill(' '));
  const { minTokensPerSecond } = comparison;
  if (minTokensPerSecond > 0) {
    for (const line of cells) line[column(scale.x(minTokensPerSecond))] = minimum;
  }
  // The first model of the comparison is drawn last, so that no other model covers it.
  for (const { number, quality, tokensPerSecond } of [...points].reverse()) {
    const line = cells[row(scale.y(quality))] ?? [];
    const at = column(scale.x(tokensPerSecond));
    for (const [index, digit] of [...String(number)].entries()) line[at + index] = digit;
  }
  const labels = new Map(scale.qualities.map((quality) => [row(scale.y(quality)), quality]));
  const lines = cells.map((line, index) => {
    const label = labels.get(index)?.toFixed(1) ?? '';
    return `${label.padStart(LABELS)} ${vertical}${line.join('')}`.trimEnd();
  });
  const axis = new Array<string>(columns).fill(' ');
  let free = 0;
  for (const speed of scale.speeds) {
    const label = formatSpeed(speed);
    const at = column(scale.x(speed));
    if (at < free || at + label.length > columns) continue;
    for (const [index, character] of [...label].entries()) axis[at + index] = character;
    free = at + label.length + 1;
  }
  return [
    `${'quality'.padStart(LABELS + 2)}`,
    ...lines,
    `${' '.repeat(LABELS + 1)}${corner}${horizontal.repeat(columns)}`,
    `${' '.repeat(LABELS + 2)}${axis.join('')}`.trimEnd(),
    `${' '.repeat(LABELS + 2)}tokens a second (${minimum} the minimum)`,
  ].join('\n');
}
