import { SPEED_DEPTH_TOKENS, type LoadSpeed } from '@mai/memory-ledger';
import { formatCount, formatDuration, formatSpeed } from '../words.js';

/** The known speed and quality of a load. */
export interface JudgedLoad {
  readonly speed: LoadSpeed | null;
  readonly quality: number | null;
}

/** The figures of a load for a table; empty where not known. `~` stands before a figure that was not measured here. */
export interface SpeedCells {
  /** Generated tokens per second. */
  readonly tokensPerSecond: string;
  /** Time to the first token of a prompt of `SPEED_DEPTH_TOKENS`. */
  readonly firstToken: string;
  readonly load: string;
  readonly quality: string;
}

/** Milliseconds until the first token of a prompt of `SPEED_DEPTH_TOKENS`. */
function firstTokenMs({ promptTokensPerSecond }: LoadSpeed): number {
  return (SPEED_DEPTH_TOKENS / promptTokensPerSecond.expected) * 1000;
}

/** The figures of a load for a table. */
export function speedCells({ speed, quality }: JudgedLoad): SpeedCells {
  const about = speed?.measured === true ? '' : '~';
  return {
    tokensPerSecond:
      speed === null ? '' : `${about}${formatSpeed(speed.decodeTokensPerSecond.expected)}`,
    firstToken: speed === null ? '' : `${about}${formatDuration(firstTokenMs(speed))}`,
    load: speed?.loadMs == null ? '' : `~${formatDuration(speed.loadMs.expected)}`,
    quality: quality === null ? '' : quality.toFixed(2),
  };
}

/**
 * The figures of a load in a phrase: `quality 0.61, about 42 tokens a second, the first token of a prompt of 2,000 tokens after 1.2 s,
 * loaded in about 4.0 s`. Empty where nothing is known.
 */
export function describeSpeed({ speed, quality }: JudgedLoad): string {
  const about = speed?.measured === true ? '' : 'about ';
  return [
    ...(quality === null ? [] : [`quality ${quality.toFixed(2)}`]),
    ...(speed === null
      ? []
      : [
          `${about}${formatSpeed(speed.decodeTokensPerSecond.expected)} tokens a second`,
          `the first token of a prompt of ${formatCount(SPEED_DEPTH_TOKENS)} tokens after ${about}${formatDuration(firstTokenMs(speed))}`,
        ]),
    ...(speed?.loadMs == null ? [] : [`loaded in about ${formatDuration(speed.loadMs.expected)}`]),
  ].join(', ');
}

/** The two figures that a choice depends on, in parentheses; empty where neither is known. */
export function describeValue({ speed, quality }: JudgedLoad): string {
  const figures = [
    ...(quality === null ? [] : [`quality ${quality.toFixed(2)}`]),
    ...(speed === null
      ? []
      : [
          `${speed.measured ? '' : 'about '}${formatSpeed(speed.decodeTokensPerSecond.expected)} tokens a second`,
        ]),
  ];
  return figures.length === 0 ? '' : ` (${figures.join(', ')})`;
}
