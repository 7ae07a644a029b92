import type { RuntimeName } from '../runtime/runtime-client.js';

/** The names of the runtimes for people. */
export const RUNTIME_NAMES: Readonly<Record<RuntimeName, string>> = {
  lmstudio: 'LM Studio',
  embedded: 'Embedded engine',
};
