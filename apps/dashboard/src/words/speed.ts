import type { ModelSpeed } from '../api/api.generated.js';
import { formatCount, formatDuration } from './format.js';

/** Speed and quality of a model; null where not known. */
export interface Judged {
  readonly speed: ModelSpeed | null;
  readonly quality: number | null;
}

/** Tokens per second as text: `142`, `6.5`, `0.4`. The same form as in the command line. */
export function formatSpeed(tokensPerSecond: number): string {
  return tokensPerSecond >= 9.95
    ? formatCount(tokensPerSecond)
    : String(Number(tokensPerSecond.toFixed(1)));
}

/**
 * The figures of a model, each with its unit: `42 tokens/s`, `first token 1.2 s`, `loads in 4.0 s`, `quality 0.61`. `~` stands
 * before a figure that was not measured. Empty where nothing is known.
 */
export function speedFigures({ speed, quality }: Judged): readonly string[] {
  const about = speed?.measured === true ? '' : '~';
  return [
    ...(speed === null
      ? []
      : [
          `${about}${formatSpeed(speed.tokensPerSecond)} tokens/s`,
          `first token ${about}${formatDuration(speed.firstTokenMs)}`,
        ]),
    ...(speed?.loadMs == null ? [] : [`loads in ~${formatDuration(speed.loadMs)}`]),
    ...(quality === null ? [] : [`quality ${quality.toFixed(2)}`]),
  ];
}

/** Explains the marks of `speedFigures` once for a list. */
export const SPEED_LEGEND =
  'First token: of a prompt of 2,000 tokens. A figure with ~ is expected and was not measured.';
