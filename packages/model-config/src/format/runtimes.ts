/** What loads models: LM Studio, or llama.cpp in child processes of Mai. */
export type RuntimeName = 'lmstudio' | 'embedded';

/** The values of `runtime`. */
export const RUNTIMES = ['lmstudio', 'embedded'] as const satisfies readonly RuntimeName[];
