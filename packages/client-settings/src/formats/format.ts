import type { SettingPath, Value } from './value.js';

/** Syntax of a settings file. */
export type FormatName = 'jsonc' | 'yaml' | 'toml';

/** How a syntax is read and edited. */
export interface Format {
  /** The content of a file. An empty file is an empty object. Throws an error that names the line. */
  parse(text: string): Value;
  /** The text with another value at a path. Undefined removes the path. Keeps everything else. */
  edit(text: string, path: SettingPath, value: Value | undefined): string;
}
