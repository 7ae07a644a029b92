import type { SelectionRequest } from '@mai/autopilot';
import type { Capability, Tier } from '@mai/model-config';
import type { Input } from './input.js';

const TIERS: readonly Tier[] = ['small', 'medium', 'large'];
const CAPABILITIES: readonly Capability[] = [
  'chat',
  'reasoning',
  'analysis',
  'coding',
  'tools',
  'vision',
  'embedding',
];

/** What the options of `mai select` and `mai watch` ask for. */
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
