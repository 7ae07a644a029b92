/** The values of `runtime`: what loads models. */
export const RUNTIMES = ['lmstudio', 'embedded'] as const;

export type RuntimeName = (typeof RUNTIMES)[number];
