import { formatBytes, formatMoment } from '../words/format.js';
import type { Stack } from './stack-series.js';

/** A pool and its figures over time. */
export interface NamedStack {
  readonly label: string;
  readonly stack: Stack;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['others', 'other programs'],
  ['yielded', 'kept free by yields'],
]);

/** The figures at one time, as they are said. A model that takes nothing is left out. */
export function describeAt(
  stacks: readonly NamedStack[],
  index: number,
  nameOf: (identifier: string) => string,
): string {
  const seconds = stacks[0]?.stack.times[index];
  if (seconds === undefined) return '';
  const pools = stacks.map(({ label, stack: { layers, totalBytes } }) => {
    const use = layers.at(-1)?.tops[index] ?? null;
    if (use === null) return `${label}: not known`;
    const parts = layers.flatMap(({ key, bytes }) => {
      const own = bytes[index] ?? 0;
      if (own === 0) return [];
      return [`${NAMES.get(key) ?? nameOf(key)} ${formatBytes(own)}`];
    });
    return `${label}: ${[...parts, `free ${formatBytes(totalBytes - use)}`].join(', ')}`;
  });
  return [formatMoment(seconds * 1000, Date.now()), ...pools].join('. ');
}
