import { closeSync, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { readCached, writeCached } from './config-cache.js';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { invalidConfigError, ModelConfigError } from '../diagnostics/model-config-error.js';
import { toModelConfig } from '../parse/to-model-config.js';
import type { ModelConfig } from '../model-config.js';

/** The origin of a configuration. */
export type ModelConfigSource =
  /** The path in the options. */
  | { readonly kind: 'explicit'; readonly file: string }
  /** The path in `MAI_CONFIG`. */
  | { readonly kind: 'environment'; readonly file: string }
  /** A file in `cwd`. */
  | { readonly kind: 'project'; readonly file: string }
  /** A file in `userConfigDir`. */
  | { readonly kind: 'user'; readonly file: string }
  | { readonly kind: 'built-in'; readonly file: null };

/** A configuration and its origin. */
export interface LoadedModelConfig {
  readonly config: ModelConfig;
  readonly source: ModelConfigSource;
  /** The files of the search that do not exist, in order. */
  readonly absent: readonly string[];
}

/** Where to look for a configuration. Paths in results are absolute. */
export interface LoadModelConfigOptions {
  /** The only file to read, relative to `cwd`. Default: the search of `loadModelConfig`. */
  readonly path?: string | null;
  /** The environment. Only `MAI_CONFIG` is read, a path relative to `cwd`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project folder. */
  readonly cwd: string;
  /** The folder of this user's settings for Mai; `null`: no such folder. */
  readonly userConfigDir: string | null;
  /**
   * A folder for the content of parsed files. A file that has not changed is then neither parsed nor
   * validated again. Default: no cache.
   */
  readonly cacheDir?: string | null;
}

/** Where a project's configuration may be, in order. */
const PROJECT_FILES = [
  path.join('.mai', 'models.yaml'),
  'models.yaml',
  path.join('config', 'models.yaml'),
];
const USER_FILE = 'models.yaml';

// Over 20 times the size of the built-in configuration. A larger file is probably a model or a log. Reading a file of this
// size takes under a second, and the process handles no signal meanwhile.
const LARGEST_FILE_BYTES = 512 * 1024;

/**
 * Reads the first configuration that exists of: `path`; `MAI_CONFIG`; `.mai/models.yaml`, `models.yaml`
 * and `config/models.yaml` in `cwd`; `models.yaml` in `userConfigDir`; the built-in configuration. Where
 * `path` or `MAI_CONFIG` is given, that file must exist.
 *
 * @throws ModelConfigError `CONFIG_NOT_FOUND` where a given file does not exist or cannot be read,
 *   `CONFIG_INVALID` where its content is not a valid configuration.
 */
export async function loadModelConfig(options: LoadModelConfigOptions): Promise<LoadedModelConfig> {
  const absent: string[] = [];
  for (const source of candidateSources(options)) {
    const text = readConfigFile(source);
    if (text === null) {
      absent.push(source.file);
      continue;
    }
    return { config: await configOf(text, source.file, options.cacheDir ?? null), source, absent };
  }
  return { config: builtInModelConfig(), source: { kind: 'built-in', file: null }, absent };
}

async function configOf(text: string, file: string, cacheDir: string | null): Promise<ModelConfig> {
  // An unchanged copy of the built-in configuration was parsed when this package was built.
  const { builtInModelConfigText } = await import('../built-in/built-in-text.generated.js');
  if (text === builtInModelConfigText) return builtInModelConfig();
  const cached = cacheDir === null ? null : readCached(cacheDir, file, text);
  if (cached !== null) return toModelConfig(cached);
  const { readModelConfigFile } = await import('../parse/parse-model-config.js');
  const { data, issues } = readModelConfigFile(text, { file });
  if (data === null) throw invalidConfigError(file, issues);
  if (cacheDir !== null) await writeCached(cacheDir, file, text, data);
  return toModelConfig(data);
}

/** The files that `loadModelConfig` looks for, in order. */
export function candidateSources(
  options: LoadModelConfigOptions,
): Exclude<ModelConfigSource, { kind: 'built-in' }>[] {
  const { cwd, userConfigDir } = options;
  if (options.path != null) return [{ kind: 'explicit', file: path.resolve(cwd, options.path) }];
  const fromEnvironment = options.env['MAI_CONFIG'];
  // An empty value counts as unset, because `MAI_CONFIG= mai` is the usual way to unset a variable for one command.
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return [{ kind: 'environment', file: path.resolve(cwd, fromEnvironment) }];
  }
  return [
    ...PROJECT_FILES.map((file) => ({ kind: 'project' as const, file: path.resolve(cwd, file) })),
    ...(userConfigDir === null
      ? []
      : [{ kind: 'user' as const, file: path.resolve(userConfigDir, USER_FILE) }]),
  ];
}

type FileSource = Exclude<ModelConfigSource, { kind: 'built-in' }>;

/** The text of the file; `null` for a missing file that is not required. */
function readConfigFile(source: FileSource): string | null {
  const { file, kind } = source;
  const named = kind === 'explicit' || kind === 'environment';
  const advice =
    kind === 'environment'
      ? 'Correct or unset MAI_CONFIG.'
      : named
        ? 'Check the path, or write a file with: mai config init'
        : 'Make the file readable, or choose another file with --config.';
  const unreadable = (what: string, cause?: unknown): ModelConfigError =>
    new ModelConfigError('CONFIG_NOT_FOUND', `${what}: ${file}\n${advice}`, { file, cause });

  let bytes: Buffer;
  try {
    // Most of the files that are searched for do not exist, and an exception would take a hundred times as long as
    // this check.
    const facts = statSync(file, { throwIfNoEntry: false });
    if (facts === undefined) {
      if (!named) return null;
      throw unreadable('There is no configuration at this path');
    }
    if (facts.isDirectory()) {
      if (!named) return null;
      throw unreadable('The configuration is a folder, not a file');
    }
    if (facts.size > LARGEST_FILE_BYTES) throw tooLarge(file, `${facts.size} bytes`);
    bytes = readStart(file);
    if (bytes.length > LARGEST_FILE_BYTES) throw tooLarge(file, `over ${LARGEST_FILE_BYTES} bytes`);
  } catch (error) {
    if (error instanceof ModelConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw unreadable(`The configuration cannot be read (${code})`, error);
  }
  return decode(bytes, file);
}

function tooLarge(file: string, size: string): ModelConfigError {
  return new ModelConfigError(
    'CONFIG_INVALID',
    `${file} has ${size}, and a configuration may have at most ${LARGEST_FILE_BYTES}.\nGive the path of a models.yaml.`,
    { file },
  );
}

/** Reads at most one byte more than a configuration may have. A device or a pipe has no size, and may never end. */
function readStart(file: string): Buffer {
  const bytes = Buffer.alloc(LARGEST_FILE_BYTES + 1);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    let read: number;
    do {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += read;
    } while (read > 0 && length < bytes.length);
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function decode(bytes: Buffer, file: string): string {
  // PowerShell 5 writes UTF-16 with a byte order mark where output is redirected to a file.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ModelConfigError(
      'CONFIG_INVALID',
      `${file} is not UTF-8 text.\nSave it as UTF-8, or choose another file.`,
      { file, cause: error },
    );
  }
}
