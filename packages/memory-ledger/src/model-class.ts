/** Every tier, the smallest first. */
export const TIERS = ['small', 'medium', 'large'] as const;

/** How large a model is, coarsely: what a person would call it when asked what their machine can run. */
export type Tier = (typeof TIERS)[number];

/** Every capability that a model can be said to have, in the order of display. */
export const CAPABILITIES = [
  'chat',
  'reasoning',
  'analysis',
  'coding',
  'tools',
  'vision',
  'embedding',
] as const;

/** What a model is good for. */
export type Capability = (typeof CAPABILITIES)[number];
