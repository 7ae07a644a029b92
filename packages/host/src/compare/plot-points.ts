import type { Comparison } from './compare-models.js';

/** A model in a plot of quality against speed. */
export interface PlotPoint {
  /** The place in the comparison, from 1. */
  readonly number: number;
  readonly modelKey: string;
  /** 0 to 1. */
  readonly quality: number;
  /** Generated tokens per second. */
  readonly tokensPerSecond: number;
}

/** The axes of a plot: speed on a logarithmic scale, quality on a linear one. */
export interface PlotScale {
  /** Place of a speed on the horizontal axis, 0 to 1. */
  readonly x: (tokensPerSecond: number) => number;
  /** Place of a quality on the vertical axis, 0 (worst) to 1. */
  readonly y: (quality: number) => number;
  /** Speeds with a label: 1, 2, 5 and their tens. */
  readonly speeds: readonly number[];
  /** Qualities with a label. */
  readonly qualities: readonly number[];
}

/** The models whose quality and speed are known. */
export function plotPoints({ models }: Pick<Comparison, 'models'>): readonly PlotPoint[] {
  return models.flatMap(({ modelKey, quality, speed }, index) =>
    quality === null || speed === null
      ? []
      : [
          {
            number: index + 1,
            modelKey,
            quality,
            tokensPerSecond: speed.decodeTokensPerSecond.expected,
          },
        ],
  );
}

const STEPS = [1, 2, 5];

/** Axes on which all points and the minimum speed lie. */
export function plotScale(
  points: readonly PlotPoint[],
  { minTokensPerSecond }: Pick<Comparison, 'minTokensPerSecond'>,
): PlotScale {
  const all = points.map(({ tokensPerSecond }) => tokensPerSecond);
  const shown = minTokensPerSecond > 0 ? [...all, minTokensPerSecond] : all;
  const low = Math.log(Math.min(...shown) / 1.3);
  const high = Math.log(Math.max(...shown) * 1.3);
  const qualities = points.map(({ quality }) => quality);
  const bottom = Math.max(0, Math.floor((Math.min(...qualities) - 0.02) * 10) / 10);
  const top = Math.min(1, Math.ceil((Math.max(...qualities) + 0.02) * 10) / 10);
  const x = (tokensPerSecond: number): number => (Math.log(tokensPerSecond) - low) / (high - low);
  const decades = [-2, -1, 0, 1, 2, 3, 4].flatMap((power) =>
    STEPS.map((step) => step * 10 ** power),
  );
  const tenths = Math.round((top - bottom) * 10);
  return {
    x,
    y: (quality) => (quality - bottom) / (top - bottom),
    speeds: decades.filter((speed) => x(speed) >= 0 && x(speed) <= 1),
    qualities: Array.from({ length: tenths + 1 }, (_, index) => bottom + index / 10),
  };
}
