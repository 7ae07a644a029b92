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

/** What a runtime or a file states about a model's tasks. */
export interface StatedTasks {
  readonly kind: 'llm' | 'embedding';
  /** Whether it accepts images. */
  readonly vision: boolean;
  /** Whether it was trained to call tools. */
  readonly toolUse: boolean;
  /** Whether it can think before it answers. `null`: not known. */
  readonly reasoning: boolean | null;
}

/** The capabilities that follow from what is stated, in the order of display. Analysis and coding are stated nowhere. */
export type StatedCapability = Exclude<Capability, 'analysis' | 'coding'>;

/** The capabilities that follow from what is stated about a model. An embedding model has no other capability. */
export function statedCapabilities({
  kind,
  vision,
  toolUse,
  reasoning,
}: StatedTasks): readonly StatedCapability[] {
  if (kind === 'embedding') return ['embedding'];
  return [
    'chat',
    ...(reasoning === true ? (['reasoning'] as const) : []),
    ...(toolUse ? (['tools'] as const) : []),
    ...(vision ? (['vision'] as const) : []),
  ];
}
