import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import type { SelectionRequest } from '@mai/host';
import type { OptionSpec } from './command-spec.js';
import type { Input } from './input.js';

// Options of several commands. An option name means the same in every command.

export const CHAIN: OptionSpec = {
  name: 'chain',
  value: 'NAME',
  summary: 'fallback chain of the configuration (default: the chain named default)',
  completes: 'chain',
};

export const REQUIRE: OptionSpec = {
  name: 'require',
  value: 'LIST',
  summary: `required capabilities, separated by commas: ${CAPABILITIES.join(', ')}`,
};

const MIN_CONTEXT: OptionSpec = {
  name: 'min-context',
  value: 'TOKENS',
  summary: 'minimum context length',
};

export const TIER_LIST: OptionSpec = {
  name: 'tier',
  value: 'LIST',
  summary: `allowed tiers, separated by commas: ${TIERS.join(', ')}`,
};

/** The options that limit the choice of a model. */
export const SELECTION_OPTIONS: readonly OptionSpec[] = [CHAIN, REQUIRE, MIN_CONTEXT, TIER_LIST];

/** The selection request that `SELECTION_OPTIONS` describe. */
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

export const CONTEXT: OptionSpec = { name: 'context', value: 'TOKENS', summary: 'context length' };

export const DRY_RUN: OptionSpec = {
  name: 'dry-run',
  summary: 'print the changes without making them',
};
