import {
  formatDuration,
  plural,
  ellipsisOf,
  padEnd,
  padStart,
  textWidth,
  truncateMiddle,
} from '@mai/host';
import { servedShares, type ServedPart, type SimulationReport } from '@mai/simulation';
import type { Output } from '../../terminal/output.js';

const NOTHING_READY = 'nothing ready';
const CHART_WIDTH_MAX = 48;
const KEY_WIDTH_MAX = 24;
/** In a longer chain, only the models that answered are shown. */
const UNUSED_SHOWN_UP_TO = 6;
const FIGURES_WIDTH = 22;
/**
 * Shades by the share of a column in which a model answered: 0, up to a third, up to two thirds,
 * more.
 */
const SHADES = { unicode: ['·', '░', '▓', '█'], ascii: ['.', '-', '=', '#'] } as const;

/** A row for each model in the order of the chain, and one for the time without a model. */
export function renderServing(
  modelKeys: readonly string[],
  served: readonly ServedPart[],
  {
    durationMs,
    timeByModelMs,
    noModelMs,
  }: Pick<SimulationReport, 'durationMs' | 'timeByModelMs' | 'noModelMs'>,
  { style, unicode, textWidth: width }: Output,
): string[] {
  const shown = modelKeys.filter(
    (key) => modelKeys.length <= UNUSED_SHOWN_UP_TO || (timeByModelMs[key] ?? 0) > 0,
  );
  const rows = [
    ...shown.map((key) => ({ key, label: key, ms: timeByModelMs[key] ?? 0 })),
    { key: null, label: NOTHING_READY, ms: noModelMs },
  ];
  const keyWidth = Math.min(KEY_WIDTH_MAX, Math.max(...rows.map(({ label }) => textWidth(label))));
  const room = width - keyWidth - FIGURES_WIDTH - 6;
  const columns = Math.max(10, Math.min(CHART_WIDTH_MAX, room));
  const shades = SHADES[unicode ? 'unicode' : 'ascii'];
  const lines = rows.map(({ key, label, ms }) => {
    const paint = key === null ? style.others : style.accent;
    const cells = servedShares(key, served, durationMs, columns).map((share) => {
      const glyph = shades[Math.ceil(share * (shades.length - 1))] ?? '';
      return share === 0 ? style.dim(glyph) : paint(glyph);
    });
    const name = padEnd(truncateMiddle(label, keyWidth, ellipsisOf(unicode)), keyWidth);
    const share = formatPrecisePercent(durationMs === 0 ? 0 : ms / durationMs);
    return `  ${name}  ${cells.join('')}  ${padStart(formatDuration(ms), 11)}  ${padStart(share, 7)}`;
  });
  const end = formatSimulatedTime(durationMs);
  const axis = `0:00:00${padStart(end, columns - '0:00:00'.length)}`;
  const unused = modelKeys.length - shown.length;
  return [
    ...lines,
    `  ${' '.repeat(keyWidth)}  ${style.dim(axis)}`,
    ...(unused === 0 ? [] : [style.dim(`  ${plural(unused, 'other model')} never answered.`)]),
  ];
}

/** Time since the beginning of a simulation: `0:00:00`, `27:05:09`. */
export function formatSimulatedTime(atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `97.4 %`, with a decimal because policies often differ by less than one per cent. */
export function formatPrecisePercent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
