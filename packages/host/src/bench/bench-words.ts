import type { SpeedRange } from '@mai/memory-ledger';
import type { BenchFigure, BenchResult } from './bench-result.js';
import { BUSY_CPU_RATIO } from '../speeds/others-cpu.js';
import { formatDuration, formatSpeed, plural } from '../words.js';

/** One line of the table of a benchmark. */
export interface BenchCells {
  readonly modelKey: string;
  /** The measured figure: `decode`, `prompt` or `load`. */
  readonly what: string;
  readonly predicted: string;
  readonly measured: string;
  /** How far the prediction was from the measurement, such as `+12 %`. */
  readonly error: string;
  /** The prediction for the same question after the measurement. */
  readonly now: string;
}

/** The lines of the table of a benchmark: each measured figure beside its prediction. */
export function benchCells(results: readonly BenchResult[]): readonly BenchCells[] {
  return results.flatMap(({ modelKey, decode, prompt, load }) => [
    ...line(modelKey, 'tokens/s', decode, formatSpeed),
    ...line(modelKey, 'prompt, tokens/s', prompt, formatSpeed),
    ...line(modelKey, 'load', load, formatDuration),
  ]);
}

function line(
  modelKey: string,
  what: string,
  figure: BenchFigure | null,
  format: (value: number) => string,
): readonly BenchCells[] {
  if (figure === null) return [];
  const { measured, before, after } = figure;
  const ranged = (range: SpeedRange | null): string =>
    range === null
      ? '-'
      : `${format(range.expected)} (${format(range.low)} to ${format(range.high)})`;
  const percent = before === null ? null : Math.round((before.expected / measured - 1) * 100);
  return [
    {
      modelKey,
      what,
      predicted: ranged(before),
      measured: format(measured),
      error: percent === null ? '-' : `${percent > 0 ? '+' : ''}${percent} %`,
      now: ranged(after),
    },
  ];
}

/** The number of measurements that Mai has learned from, and the models that could not be measured, in sentences. */
export function benchNotes(results: readonly BenchResult[]): readonly string[] {
  const figures = results.flatMap(({ decode, prompt, load }) =>
    [decode, prompt, load].filter((one) => one !== null),
  );
  return [
    ...(figures.length === 0
      ? []
      : [
          `Mai learned from ${plural(figures.length, 'measurement')}. It now uses them to predict the speed of every model on this machine.`,
        ]),
    ...busyNotes(results),
    ...results.flatMap(({ modelKey, failure }) =>
      failure === null ? [] : [`${modelKey} was not measured: ${failure.message}`],
    ),
  ];
}

/** A warning where other programs used the CPU while models were measured. */
function busyNotes(results: readonly BenchResult[]): readonly string[] {
  const busy = results.flatMap(({ modelKey, othersCpuRatio }) =>
    othersCpuRatio !== null && othersCpuRatio >= BUSY_CPU_RATIO
      ? [{ modelKey, percent: Math.round(othersCpuRatio * 100) }]
      : [],
  );
  if (busy.length === 0) return [];
  const [least, most] = [Math.min, Math.max].map((pick) => pick(...busy.map((one) => one.percent)));
  const share = least === most ? `${most} %` : `${least} to ${most} %`;
  const models = busy.map(({ modelKey }) => modelKey).join(', ');
  return [
    `Other programs used ${share} of the CPU when these models were measured: ${models}. Their speeds may be too low, and Mai gives them less weight. Close these programs and run the benchmark again.`,
  ];
}
