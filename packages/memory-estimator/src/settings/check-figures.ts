import { KV_CACHE_TYPES } from '@mai/memory-ledger';
import { MAX_TOKENS, type EstimateSettings } from './estimate-settings.js';

/** A setting that cannot be loaded, and the reason. */
export interface SettingsProblem {
  readonly setting: keyof EstimateSettings;
  readonly message: string;
}

/** The most sequences that llama.cpp accepts (LLAMA_MAX_SEQ). */
const MAX_SEQUENCES = 256;
/** Setting, minimum, maximum. */
const COUNTS = [
  ['contextLengthTokens', 1, MAX_TOKENS],
  ['batchTokens', 1, MAX_TOKENS],
  ['ubatchTokens', 1, MAX_TOKENS],
  ['parallelSequences', 1, MAX_SEQUENCES],
  ['gpuLayers', 0, Number.MAX_SAFE_INTEGER],
] as const;

/** The settings whose figures or types are out of range. */
export function checkFigures(settings: EstimateSettings): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  for (const [setting, min, max] of COUNTS) {
    const value = settings[setting];
    if (value === null || (Number.isInteger(value) && value >= min && value <= max)) continue;
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
    problems.push({ setting, message: `${setting} must be a whole number ${range}.` });
  }
  for (const setting of ['kvCacheTypeK', 'kvCacheTypeV'] as const) {
    const type = settings[setting];
    if (type === null || KV_CACHE_TYPES.includes(type)) continue;
    problems.push({ setting, message: `${setting} must be one of ${KV_CACHE_TYPES.join(', ')}.` });
  }
  return problems;
}
