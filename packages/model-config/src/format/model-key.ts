/** Any key that LM Studio lists, except those that a chain would read as a reference. */
export const MODEL_KEY_PATTERN = /^(?!chain:|downloaded:)\S(.*\S)?$/;

/**
 * Whether a configuration can name this model. It cannot name keys that begin with `chain:` or
 * `downloaded:`, that begin or end with a space, or that have a line break.
 */
export function isConfigurableModelKey(modelKey: string): boolean {
  return MODEL_KEY_PATTERN.test(modelKey);
}
