import { LOAD_CONFIG_FIELDS } from '@mai/memory-ledger';
import type { LoadOption, Requirement, Resident } from '../input.js';

/**
 * How a resident serves a load option of its model:
 *
 * - `as-asked`: every field that the option sets and that the runtime reports is equal. A field that the option
 *   leaves to the runtime's default matches any value, but not one that Mai asked for: with half of its experts on the CPU,
 *   a model is not loaded as an option without this trade-off asks.
 * - `longer-context`: the same, but the context is longer than the option asks for.
 */
export type Service = 'as-asked' | 'longer-context';

/** How a resident serves a load option of its model; `null` when it does not serve the option. */
export function serviceOf(
  { loadConfig: got, asked: before = null }: Resident,
  { loadConfig: asked }: LoadOption,
  { minContextLengthTokens: required }: Requirement,
): Service | null {
  const tokens = got.contextLengthTokens;
  // An unknown context length does not meet a requirement.
  if (required !== null && (tokens === null || tokens < required)) return null;
  const isEqual = OTHER_FIELDS.every(
    (field) =>
      isEqualOrUnset(asked[field], got[field]) &&
      (asked[field] !== null || before === null || before[field] === null),
  );
  if (!isEqual) return null;
  if (isEqualOrUnset(asked.contextLengthTokens, tokens)) return 'as-asked';
  return (tokens ?? 0) > (asked.contextLengthTokens ?? 0) ? 'longer-context' : null;
}

const OTHER_FIELDS = LOAD_CONFIG_FIELDS.filter((field) => field !== 'contextLengthTokens');

function isEqualOrUnset<Value>(asked: Value | null, got: Value | null): boolean {
  return asked === null || got === null || asked === got;
}
