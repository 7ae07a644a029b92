import type { ConfigField } from '../host/load-settings.js';
import type { ConfigStack } from './frames.js';

/** The fields that a stack of layers comes down to: a later layer overrides an earlier one. */
export function flattenStack(stack: ConfigStack): readonly ConfigField[] {
  const values = new Map<string, unknown>();
  for (const { config } of stack.layers) {
    for (const { key, value } of config.fields) values.set(key, value);
  }
  return [...values].map(([key, value]) => ({ key, value }));
}
