import { isMap, parseDocument, type YAMLMap } from 'yaml';
import { invalidConfigError, ModelConfigError } from '../diagnostics/model-config-error.js';
import { parseModelConfig } from '../parse/parse-model-config.js';

/**
 * The text of a valid configuration, and its parsed document, whose nodes have offsets into the
 * text.
 */
export interface Editable {
  readonly text: string;
  readonly root: YAMLMap;
}

/**
 * Applies an edit to a text.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text or the result is not a valid configuration.
 */
export function checked(text: string, edit: (source: Editable) => string): string {
  refuseInvalid(text);
  const root = parseDocument(text, { keepSourceTokens: true }).contents;
  if (!isMap(root)) throw uneditable('The configuration', 'the file is not a map');
  const edited = edit({ text, root });
  refuseInvalid(edited);
  return edited;
}

function refuseInvalid(text: string): void {
  const { config, issues } = parseModelConfig(text);
  if (config === null) throw invalidConfigError(null, issues);
}

/**
 * The error for an edit that is not possible. `why` gives the reason and, if possible, what to do
 * instead.
 */
export function uneditable(what: string, why: string): ModelConfigError {
  return new ModelConfigError('CONFIG_INVALID', `${what} cannot be edited: ${why}.`, {
    file: null,
  });
}
