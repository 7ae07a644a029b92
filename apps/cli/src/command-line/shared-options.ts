import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import type { OptionSpec } from './command-spec.js';

// Options that several commands take. One name means one thing throughout.

export const CHAIN: OptionSpec = {
  name: 'chain',
  value: 'NAME',
  summary: 'fallback chain of the configuration (default: default)',
  completes: 'chain',
};

export const REQUIRE: OptionSpec = {
  name: 'require',
  value: 'LIST',
  summary: `capabilities, separated by commas: ${CAPABILITIES.join(', ')}`,
};

export const MIN_CONTEXT: OptionSpec = {
  name: 'min-context',
  value: 'TOKENS',
  summary: 'shortest context length that will do',
};

export const TIER_LIST: OptionSpec = {
  name: 'tier',
  value: 'LIST',
  summary: `tiers, separated by commas: ${TIERS.join(', ')}`,
};

/** What a model is chosen by; `requestOf` reads them. */
export const SELECTION_OPTIONS: readonly OptionSpec[] = [CHAIN, REQUIRE, MIN_CONTEXT, TIER_LIST];

export const CONTEXT: OptionSpec = { name: 'context', value: 'TOKENS', summary: 'context length' };

export const DRY_RUN: OptionSpec = {
  name: 'dry-run',
  summary: 'say what would be done, and do nothing',
};
