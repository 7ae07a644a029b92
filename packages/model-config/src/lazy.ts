import type { EditValue } from './edit/yaml-source.js';
import type { ModelConfigFile, ModelSection } from './file/model-config-file.js';
import type { ParseResult } from './file/parse-model-config.js';
import type { ModelConfig } from './model-config.js';
import type { DownloadedModel } from './profile/downloaded-model.js';

// A YAML parser and a validator take as long to load as Node itself. What needs them is behind an
// import of its own, so that a program that only loads a configuration it has seen before, or the
// built-in one, never pays for them. That is why all of this is asynchronous.

/**
 * Parses the text of a `models.yaml` (YAML 1.2, of which JSON is a part). Problems are values, all of
 * them at once, in the order of the file. Throws nothing.
 *
 * @param options.file - name for the issues; default none
 */
export async function parseModelConfig(
  text: string,
  options: { readonly file?: string | null } = {},
): Promise<ParseResult> {
  return (await import('./file/parse-model-config.js')).parseModelConfig(text, options);
}

/**
 * A configuration written in TypeScript: the same fields and the same checks as `models.yaml`.
 *
 * @throws ModelConfigError `CONFIG_INVALID` with every issue; they have a path and no line.
 */
export async function defineModelConfig(definition: ModelConfigFile): Promise<ModelConfig> {
  return (await import('./file/define-model-config.js')).defineModelConfig(definition);
}

/**
 * The text of a commented `models.yaml` for what is downloaded, the largest model first. What the
 * built-in configuration knows about a model is taken over, the rest is derived and says so. With
 * nothing downloaded it is the text of the built-in configuration. The outcome is always valid.
 *
 * @param options.schema - address of the JSON Schema for editors; default: the installed package's
 */
export async function renderModelConfig(
  downloaded: readonly DownloadedModel[],
  options: { readonly schema?: string } = {},
): Promise<string> {
  return (await import('./render-model-config.js')).renderModelConfig(downloaded, options);
}

/**
 * The text of a `models.yaml` with one field set, or removed where `value` is `null`; everything else
 * stays as it is, byte for byte. Steps of the path are names and indices; a model is named by its key:
 * `['models', 'qwen/qwen3-4b-2507', 'context_window']`, `['switching', 'dwell']`. Sections that are not
 * there are made, those that are left empty are removed.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export async function setConfigField(
  text: string,
  path: readonly (string | number)[],
  value: EditValue | null,
): Promise<string> {
  return (await import('./edit/set-field.js')).setConfigField(text, path, value);
}

/**
 * The text of a `models.yaml` with a model added after the others; nothing else changes.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export async function addConfiguredModel(text: string, model: ModelSection): Promise<string> {
  return (await import('./edit/edit-models.js')).addConfiguredModel(text, model);
}

/**
 * The text of a `models.yaml` without this model, and without it in chains and pins; a chain that is
 * left empty goes too. Comments on lines of their own stay.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export async function removeConfiguredModel(text: string, modelKey: string): Promise<string> {
  return (await import('./edit/edit-models.js')).removeConfiguredModel(text, modelKey);
}

/**
 * The text of a `models.yaml` with the entries of a chain set, or the chain removed where `entries` is
 * `null`. Entries that stay keep their lines and their comments, in the new order.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export async function setFallbackChain(
  text: string,
  name: string,
  entries: readonly string[] | null,
): Promise<string> {
  return (await import('./edit/edit-chains.js')).setFallbackChain(text, name, entries);
}
