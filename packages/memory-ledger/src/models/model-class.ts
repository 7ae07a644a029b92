/** Every tier, the smallest first. */
export const TIERS = ['small', 'medium', 'large'] as const;

/** Size class of a model. */
export type Tier = (typeof TIERS)[number];

/** Every capability, in the order of display. */
export const CAPABILITIES = [
  'chat',
  'reasoning',
  'analysis',
  'coding',
  'tools',
  'vision',
  'embedding',
] as const;

/** A task that a model is good at. */
export type Capability = (typeof CAPABILITIES)[number];
