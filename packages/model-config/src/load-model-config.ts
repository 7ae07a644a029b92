import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { readCached, writeCached } from './config-cache.js';
import { builtInModelConfig } from './built-in/built-in-model-config.js';
import { invalidConfigError, ModelConfigError } from './diagnostics/model-config-error.js';
import { toModelConfig } from './file/to-model-config.js';
import type { ModelConfig } from './model-config.js';

/** Where a configuration came from. */
export type ModelConfigSource =
  /** A path that the caller gave. */
  | { readonly kind: 'explicit'; readonly file: string }
  /** The path in `MAI_CONFIG`. */
  | { readonly kind: 'environment'; readonly file: string }
  | { readonly kind: 'project'; readonly file: string }
  | { readonly kind: 'user'; readonly file: string }
  | { readonly kind: 'built-in'; readonly file: null };

/** A configuration and its origin. */
export interface LoadedModelConfig {
  readonly config: ModelConfig;
  readonly source: ModelConfigSource;
  /** The files that were looked for and are not there, in order. */
  readonly absent: readonly string[];
}

/** Where to look; every absolute path in a result derives from these. */
export interface LoadModelConfigOptions {
  /** A file to read and nothing else. Relative to `cwd`. */
  readonly path?: string | null;
  /** For `MAI_CONFIG`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project folder. */
  readonly cwd: string;
  /** The folder for this user's settings of Mai; `null` for none. */
  readonly userConfigDir: string | null;
  /**
   * A folder for what was parsed, so that an unchanged file costs neither YAML nor validation the next
   * time. Default: none.
   */
  readonly cacheDir?: string | null;
}

/** The places in a project folder, in order. */
const PROJECT_FILES = [
  path.join('.mai', 'models.yaml'),
  'models.yaml',
  path.join('config', 'models.yaml'),
];
const USER_FILE = 'models.yaml';

// The built-in file has about 20 kB. What is a hundred times as large is a model file or a log.
const LARGEST_FILE_BYTES = 2 * 1024 * 1024;

/**
 * Reads the first configuration that is there: `path`; `MAI_CONFIG`; `.mai/models.yaml`, `models.yaml`
 * or `config/models.yaml` in `cwd`; `models.yaml` in `userConfigDir`; the built-in default. The first
 * two must exist.
 *
 * @throws ModelConfigError `CONFIG_NOT_FOUND` or `CONFIG_INVALID`
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
  const cached = cacheDir === null ? null : readCached(cacheDir, file, text);
  if (cached !== null) return toModelConfig(cached);
  const { readModelConfigFile } = await import('./file/parse-model-config.js');
  const { data, issues } = readModelConfigFile(text, { file });
  if (data === null) throw invalidConfigError(file, issues);
  if (cacheDir !== null) await writeCached(cacheDir, file, text, data);
  return toModelConfig(data);
}

/** The files that `loadModelConfig` would look for, in order. */
export function candidateSources(
  options: LoadModelConfigOptions,
): Exclude<ModelConfigSource, { kind: 'built-in' }>[] {
  const { cwd, userConfigDir } = options;
  if (options.path != null) return [{ kind: 'explicit', file: path.resolve(cwd, options.path) }];
  const fromEnvironment = options.env['MAI_CONFIG'];
  // Set to nothing is how a shell unsets a variable for one command.
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

/** The text of the file; `null` where a file that need not exist doesn't. */
function readConfigFile(source: FileSource): string | null {
  const { file, kind } = source;
  const named = kind === 'explicit' || kind === 'environment';
  const advice =
    kind === 'environment'
      ? 'Correct or unset MAI_CONFIG.'
      : named
        ? 'Check the path, or write a file with: mai config init'
        : 'Make it readable, or name another file with --config.';
  const unreadable = (what: string, cause?: unknown): ModelConfigError =>
    new ModelConfigError('CONFIG_NOT_FOUND', `${what}: ${file}\n${advice}`, { file, cause });

  let bytes: Buffer;
  try {
    // Most candidates are not there, and a rejection costs a hundred times as much as this answer.
    const facts = statSync(file, { throwIfNoEntry: false });
    if (facts === undefined) {
      if (!named) return null;
      throw unreadable('There is no configuration at this path');
    }
    if (facts.isDirectory()) {
      if (!named) return null;
      throw unreadable('The configuration is a folder, not a file');
    }
    if (facts.size > LARGEST_FILE_BYTES) {
      throw new ModelConfigError(
        'CONFIG_INVALID',
        `${file} has ${facts.size} bytes; a configuration has no more than ${LARGEST_FILE_BYTES}.\nIs this another kind of file?`,
        { file },
      );
    }
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof ModelConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw unreadable(`The configuration can't be read (${code ?? 'unknown error'})`, error);
  }
  return decode(bytes, file);
}

function decode(bytes: Buffer, file: string): string {
  // PowerShell 5 writes UTF-16 with a byte order mark when output is redirected to a file.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ModelConfigError(
      'CONFIG_INVALID',
      `${file} is not UTF-8 text.\nSave it as UTF-8, or name another file.`,
      { file, cause: error },
    );
  }
}
