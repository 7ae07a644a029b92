import { MAX_TOKENS, type EstimateSettings } from './estimate-settings.js';
import { cacheTypes } from '../parts/kv-cache.js';

/** One setting that cannot be loaded, and why. */
export interface SettingsProblem {
  readonly setting: keyof EstimateSettings;
  readonly message: string;
}

/** More sequences than llama.cpp takes (LLAMA_MAX_SEQ). */
const MAX_SEQUENCES = 256;
const COUNTS = [
  ['contextLengthTokens', 1, MAX_TOKENS],
  ['batchTokens', 1, MAX_TOKENS],
  ['ubatchTokens', 1, MAX_TOKENS],
  ['parallelSequences', 1, MAX_SEQUENCES],
  ['gpuLayers', 0, Number.MAX_SAFE_INTEGER],
] as const;

/** Which settings are no figure or type that any load could have. */
export function checkFigures(settings: EstimateSettings): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  for (const [setting, least, most] of COUNTS) {
    const value = settings[setting];
    if (value === null || (Number.isInteger(value) && value >= least && value <= most)) continue;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    problems.push({ setting, message: `${setting} must be a whole number ${range}.` });
  }
  for (const setting of ['kvCacheTypeK', 'kvCacheTypeV'] as const) {
    const type = settings[setting];
    if (type === null || cacheTypes().includes(type)) continue;
    problems.push({ setting, message: `${setting} must be one of ${cacheTypes().join(', ')}.` });
  }
  return problems;
}
