import type { LoadConfig } from '@mai/memory-ledger';
import type { LoadOption, Requirement, Resident } from './input.js';

/**
 * Whether a resident is what a load option asks for: equal in every field that the option sets and that
 * the runtime tells. A field that the option leaves to the runtime's default matches any value.
 */
export function servesOption(
  resident: Resident,
  modelKey: string,
  option: LoadOption,
  requirement: Requirement,
): boolean {
  return (
    resident.modelKey === modelKey &&
    matches(option.loadConfig, resident.loadConfig) &&
    meetsContext(resident.loadConfig.contextLengthTokens, requirement)
  );
}

const FIELDS = [
  'contextLengthTokens',
  'parallelSequences',
  'offloadRatio',
  'kvCacheTypeK',
  'kvCacheTypeV',
  'flashAttention',
  'cpuExpertRatio',
] as const satisfies readonly (keyof LoadConfig)[];

function matches(asked: LoadConfig, got: LoadConfig): boolean {
  return FIELDS.every(
    (field) => asked[field] === null || got[field] === null || asked[field] === got[field],
  );
}

// An unknown context length does not meet a requirement.
function meetsContext(tokens: number | null, { minContextLengthTokens }: Requirement): boolean {
  return minContextLengthTokens === null || (tokens !== null && tokens >= minContextLengthTokens);
}
