import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatShare,
  renderMeter,
  ellipsisOf,
  padEnd,
  textWidth,
  truncate,
  truncateMiddle,
} from '@mai/host';
import type { OutputStream } from '../io.js';
import type { Style } from './style.js';

/** The label, the size and the output stream of a progress display. */
export interface ProgressOptions {
  readonly label: string;
  /** Bytes at 100 per cent. `null`: unknown, so only the percentage is shown. */
  readonly totalBytes: number | null;
  readonly stream: OutputStream;
  readonly style: Style;
  readonly unicode: boolean;
  readonly nowMs: () => number;
}

/** Shows the progress of a long task: a bar on a terminal, elsewhere a line for each quarter. */
export interface Progress {
  /** `ratio` runs from 0 to 1. */
  readonly update: (ratio: number) => void;
  /** Removes the bar. The caller then reports the outcome. */
  readonly clear: () => void;
}

const REDRAW_EVERY_MS = 50;
/**
 * Elapsed time and ratio from which rate and time left are shown. Earlier figures would be too
 * inexact.
 */
const MIN_ELAPSED_MS = 300;
const MIN_RATIO = 0.02;
/** Minimum columns of the bar. A shorter bar would be too coarse. */
const MIN_BAR = 6;

/** Starts a progress display at 0. */
export function createProgress(options: ProgressOptions): Progress {
  return options.stream.isTTY ? liveProgress(options) : steppedProgress(options);
}

function steppedProgress({ label, totalBytes, stream }: ProgressOptions): Progress {
  let nextQuarter = 1;
  const size = totalBytes === null ? '' : ` (${formatBytes(totalBytes)})`;
  stream.write(`${label}${size}\n`);
  return {
    update: (ratio) => {
      const quarter = Math.floor(ratio * 4);
      if (quarter < nextQuarter || quarter >= 4) return;
      nextQuarter = quarter + 1;
      stream.write(`${label}: ${formatPercent(quarter / 4)}\n`);
    },
    clear: () => undefined,
  };
}

function liveProgress(options: ProgressOptions): Progress {
  const { stream, nowMs } = options;
  const startedMs = nowMs();
  let drawnMs = -Infinity;
  const draw = (ratio: number) => {
    const now = nowMs();
    if (now - drawnMs < REDRAW_EVERY_MS && ratio < 1) return;
    drawnMs = now;
    stream.write(`\r\u001b[2K${progressLine(options, ratio, now - startedMs)}`);
  };
  draw(0);
  return { update: draw, clear: () => stream.write('\r\u001b[2K') };
}

function progressLine(options: ProgressOptions, ratio: number, elapsedMs: number): string {
  const { label, totalBytes, stream, style, unicode } = options;
  const width = (stream.columns ?? 80) - 1;
  const labelWidth = Math.min(textWidth(label), Math.max(12, Math.floor(width / 3.5)));
  const known = elapsedMs >= MIN_ELAPSED_MS && ratio >= MIN_RATIO && ratio < 1;
  const rate = known && totalBytes !== null ? (totalBytes * ratio * 1000) / elapsedMs : null;
  // Each figure has the width that it needs at most, so that the bar keeps its width.
  const figures = [
    formatPercent(ratio).padStart(5),
    ...(totalBytes === null
      ? []
      : [
          formatShare(totalBytes * ratio, totalBytes).padStart(shareWidth(totalBytes)),
          (rate === null ? '' : `${formatBytes(rate)}/s`).padStart(10),
        ]),
    (known ? `${formatDuration((elapsedMs / ratio) * (1 - ratio))} left` : '').padEnd(13),
  ];
  const room = width - labelWidth - 2 - MIN_BAR;
  // Where the terminal is too narrow for all figures, the last ones are left out.
  while (figures.length > 1 && figures.join('  ').length > room) figures.pop();
  const facts = figures.join('  ');
  const barWidth = MIN_BAR + Math.max(0, room - facts.length);
  const meter = padEnd(renderMeter(ratio, barWidth, unicode, style.accent), barWidth);
  const ellipsis = ellipsisOf(unicode);
  const name = truncateMiddle(label, labelWidth, ellipsis);
  return truncate(`${name} ${meter} ${facts}`.trimEnd(), width, ellipsis);
}

/** Width of the widest share, such as `32.0 of 32.0 GiB`. */
function shareWidth(totalBytes: number): number {
  return formatShare(totalBytes, totalBytes).length;
}
