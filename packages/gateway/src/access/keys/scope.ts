/**
 * The scopes of a key: `inference` the models, `read` the state of the machine, `control` everything that changes it.
 * `control` includes `read`.
 */
export const SCOPES = ['inference', 'control', 'read'] as const;

export type Scope = (typeof SCOPES)[number];
