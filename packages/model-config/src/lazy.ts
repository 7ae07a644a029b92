import type { EditValue } from './edit/yaml-source.js';
import type { ModelConfigFile, ModelSection } from './format/model-config-file.js';
import type { ModelConfig } from './model-config.js';
import type { ParseResult } from './parse/parse-model-config.js';
import type { DownloadedModel } from './profile/downloaded-model.js';
import type { QualityUse } from './quality/model-facts.js';

// Loading the YAML parser and the validator takes as long as starting Node. The functions that
// need them import them on the first call, so a program that uses only the built-in or a cached
// configuration starts faster. Therefore all functions in this file are asynchronous.

/**
 * Parses the text of a `models.yaml` (YAML 1.2, so JSON is allowed). All problems are returned as issues,
 * in the order of the file. Nothing is thrown.
 *
 * @param options.file - the file's name in the issues. Default: no name.
 */
export async function parseModelConfig(
  text: string,
  options: { readonly file?: string | null } = {},
): Promise<ParseResult> {
  return (await import('./parse/parse-model-config.js')).parseModelConfig(text, options);
}

/**
 * Checks and converts a configuration that is written in TypeScript. It has the fields and the rules of
 * `models.yaml`.
 *
 * @throws ModelConfigError `CONFIG_INVALID` with every issue. The issues have a path, and no line.
 */
export async function defineModelConfig(definition: ModelConfigFile): Promise<ModelConfig> {
  return (await import('./parse/define-model-config.js')).defineModelConfig(definition);
}

/**
 * The text of a commented `models.yaml` for the downloaded models, the largest first. It is always valid.
 *
 * Facts about a model come from the built-in configuration if it contains the model. Other facts are derived,
 * and a comment says so. A model is left out if a configuration cannot name its key
 * (`isConfigurableModelKey`). If nothing is downloaded, the text is that of the built-in configuration.
 *
 * Each chain begins with the model of the highest value for its use.
 *
 * @param options.schema - the address of the JSON Schema for editors; `null`: none. Default: the file in the
 *   installed package.
 * @param options.valueOfModel - the value of a model for a use, such as its quality weighed against its speed. Models
 *   whose value is `null` come last. Default: the quality.
 */
export async function renderModelConfig(
  downloaded: readonly DownloadedModel[],
  options: {
    readonly schema?: string | null;
    readonly valueOfModel?: ((modelKey: string, use: QualityUse) => number | null) | null;
  } = {},
): Promise<string> {
  return (await import('./render/render-model-config.js')).renderModelConfig(downloaded, options);
}

/**
 * Sets one field in the text of a `models.yaml`, or removes it where `value` is `null`. All other bytes of
 * the text stay. Sections that are missing are added. Sections that become empty are removed.
 *
 * @param path - names and indices. The key of a model stands for its index:
 *   `['models', 'qwen/qwen3-4b-2507', 'context_window']`, `['switching', 'dwell']`.
 * @throws ModelConfigError `CONFIG_INVALID` where the text or the result is not a valid configuration.
 */
export async function setConfigField(
  text: string,
  path: readonly (string | number)[],
  value: EditValue | null,
): Promise<string> {
  return (await import('./edit/set-field.js')).setConfigField(text, path, value);
}

/**
 * Adds a model after the others in the text of a `models.yaml`. All other bytes of the text stay.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text or the result is not a valid configuration.
 */
export async function addConfiguredModel(text: string, model: ModelSection): Promise<string> {
  return (await import('./edit/edit-models.js')).addConfiguredModel(text, model);
}

/**
 * Removes a model from the text of a `models.yaml`: from `models`, from all chains and from the pins. A
 * chain that becomes empty is removed, too. Comments on lines of their own stay.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text or the result is not a valid configuration.
 */
export async function removeConfiguredModel(text: string, modelKey: string): Promise<string> {
  return (await import('./edit/edit-models.js')).removeConfiguredModel(text, modelKey);
}

/**
 * Sets the entries of a chain in the text of a `models.yaml`, or removes the chain where `entries` is
 * `null`. Entries that stay keep their lines and comments, in the new order.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text or the result is not a valid configuration.
 */
export async function setFallbackChain(
  text: string,
  name: string,
  entries: readonly string[] | null,
): Promise<string> {
  return (await import('./edit/edit-chains.js')).setFallbackChain(text, name, entries);
}
