import { ClientSettingsError } from '../client-settings-error.js';
import type { Format, FormatName } from './format.js';
import { jsonc } from './jsonc.js';
import { toml } from './toml.js';
import { pathText, sameValue, type SettingPath, type Value, withValueAt } from './value.js';
import { yaml } from './yaml.js';

/** One change of a settings file. `value` undefined removes the setting. */
export interface Edit {
  readonly path: SettingPath;
  readonly value: Value | undefined;
}

const FORMATS: Readonly<Record<FormatName, Format>> = { jsonc, yaml, toml };

/**
 * Reads the text of a settings file.
 *
 * @throws ClientSettingsError `FILE_INVALID`
 */
export function parseSettings(format: FormatName, text: string, file: string): Value {
  try {
    return FORMATS[format].parse(text);
  } catch (error) {
    throw new ClientSettingsError(
      'FILE_INVALID',
      `${file} cannot be read as ${format.toUpperCase()}: ${messageOf(error)}. Correct the file, then run the command again.`,
      { cause: error },
    );
  }
}

/**
 * Edits the text of a settings file. After each edit the text is read again: if it has another content than
 * intended, nothing is returned.
 *
 * @throws ClientSettingsError `FILE_INVALID`, `FILE_NOT_EDITABLE`
 */
export function editSettings(
  format: FormatName,
  text: string,
  edits: readonly Edit[],
  file: string,
): string {
  let edited = text;
  let expected = parseSettings(format, text, file);
  for (const { path, value } of edits) {
    expected = withValueAt(expected, path, value) ?? {};
    edited = editOnce(FORMATS[format], edited, path, value, expected, file);
  }
  return edited;
}

function editOnce(
  format: Format,
  text: string,
  path: SettingPath,
  value: Value | undefined,
  expected: Value,
  file: string,
): string {
  let cause: unknown = null;
  try {
    const edited = format.edit(text, path, value);
    if (sameValue(format.parse(edited), expected)) return edited;
  } catch (error) {
    cause = error;
  }
  throw new ClientSettingsError(
    'FILE_NOT_EDITABLE',
    `${pathText(path)} in ${file} is written in a form that cannot be changed safely. Change it by hand; the command without --write prints the settings.`,
    { cause },
  );
}

function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.replace(/[.:\s]+$/, '');
}
