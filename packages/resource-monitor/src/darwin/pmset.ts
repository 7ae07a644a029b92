import type { PowerSnapshot } from '../snapshot.js';

/** Reads `pmset -g batt`; null for anything else. */
export function parsePmset(text: string): PowerSnapshot | null {
  const drawing = /Now drawing from '([^']+)'/.exec(text)?.[1];
  if (drawing === undefined) return null;
  const percent = /(\d+)%/.exec(text)?.[1];
  return {
    onBattery: drawing === 'Battery Power',
    chargeRatio: percent === undefined ? null : Number(percent) / 100,
  };
}
