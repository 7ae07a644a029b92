import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import type { SelectionRequest } from '@mai/host';
import type { Input } from './input.js';

/** The selection request that the options of `mai select` and `mai watch` describe. */
export function requestOf(input: Input): SelectionRequest {
  return {
    chain: input.text('chain'),
    requirement: {
      capabilities: input.listOf('require', CAPABILITIES) ?? [],
      minContextLengthTokens: input.integer('min-context', 1),
      tiers: input.listOf('tier', TIERS),
    },
  };
}
