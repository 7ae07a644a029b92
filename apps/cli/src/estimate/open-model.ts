import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { GgufHeader } from '@mai/memory-estimator';
import { ModelFileError, readGgufHeader } from '@mai/memory-estimator';
import { suggest } from '../command-line/suggest.js';
import { withLink } from '../compose/connect-lmstudio.js';
import { libraryOf } from '../compose/library.js';
import type { CommandContext } from '../context.js';
import { UsageError } from '../usage-error.js';

/** A model that is to be estimated. */
export interface OpenModel {
  /** What to call it: its key, or its file's name. */
  readonly title: string;
  /** Its key; null for a file. */
  readonly modelKey: string | null;
  /** What is known of it. */
  readonly known: KnownModel;
}

/** A GGUF model by its header; of any other kind no more than its size is known. */
export type KnownModel =
  | {
      readonly kind: 'header';
      readonly file: string;
      readonly header: GgufHeader;
      /** The vision projector that LM Studio loads with it; null for a file that is named itself. */
      readonly visionProjector: GgufHeader | null;
    }
  | {
      readonly kind: 'size';
      readonly sizeBytes: number;
      readonly format: string;
      readonly architecture: string | null;
      readonly layers: number | null;
      /** Why no header was read, in words that follow 'because'. */
      readonly why: string;
      /** Whether it is loaded on this machine; what is free here says nothing about another. */
      readonly isHere: boolean;
    };

const LOOKS_LIKE_A_FILE = /\.gguf(-header)?$|^\.{0,2}[\\/]|^[a-z]:[\\/]/i;

/**
 * Opens a GGUF file, a folder with an MLX model, or a downloaded model by its key.
 * @throws ModelFileError; LMStudioError `MODEL_NOT_FOUND` with a suggestion; UsageError for a model
 * of which nothing is known
 */
export async function openModel(name: string, context: CommandContext): Promise<OpenModel> {
  const { io, signal } = context;
  const asFile = path.resolve(io.cwd, name);
  const found = await stat(asFile).catch(() => null);
  const title = path.basename(asFile);
  const mlx = found?.isDirectory() === true ? await openMlxFolder(asFile) : null;
  if (mlx !== null) return { title, modelKey: null, known: mlx };
  if (found?.isFile() !== true && !LOOKS_LIKE_A_FILE.test(name)) {
    return { title: name, modelKey: name, known: await openKey(name, context) };
  }
  // Opening a named pipe would wait for ever for someone to write to it.
  if (found !== null && !found.isFile()) {
    throw new ModelFileError(
      'FILE_UNREADABLE',
      `${asFile} is not a file. Name the model file in it.`,
      { path: asFile },
    );
  }
  const header = await readGgufHeader(asFile, { signal });
  const known = { kind: 'header', file: asFile, header, visionProjector: null } as const;
  return { title, modelKey: null, known };
}

/** MLX keeps a model in a folder: safetensors files beside a config.json. Null for any other folder. */
async function openMlxFolder(folder: string): Promise<KnownModel | null> {
  const names = await readdir(folder);
  const weights = names.filter((name) => /\.safetensors$/i.test(name));
  if (weights.length === 0) return null;
  const sizes = await Promise.all(
    weights.map(async (name) => (await stat(path.join(folder, name))).size),
  );
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  const { architecture, layers } = await readMlxConfig(folder);
  return {
    ...{ kind: 'size', sizeBytes, format: 'mlx', architecture, layers },
    ...{ why: 'it is no GGUF model', isHere: true },
  };
}

/** What an MLX model says about itself; null what it does not say. */
async function readMlxConfig(
  folder: string,
): Promise<{ readonly architecture: string | null; readonly layers: number | null }> {
  const text = await readFile(path.join(folder, 'config.json'), 'utf8').catch(() => '{}');
  const config = parseObject(text);
  // Models that see keep those of the language model apart.
  const language = { ...config, ...asObject(config['text_config']) };
  const { model_type: architecture, num_hidden_layers: layers } = language;
  return {
    architecture: typeof architecture === 'string' ? architecture : null,
    layers:
      typeof layers === 'number' && Number.isSafeInteger(layers) && layers > 0 ? layers : null,
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // A damaged description says nothing; the weights are there all the same.
    return {};
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function openKey(key: string, context: CommandContext): Promise<KnownModel> {
  const library = await withLink(context, (link) => libraryOf(link, context));
  const model = library.models.find(({ modelKey }) => modelKey === key);
  if (model === undefined) {
    const keys = library.models.map(({ modelKey }) => modelKey);
    const guess = suggest(key, keys);
    const next =
      keys.length === 0
        ? `Nothing is downloaded here. ${library.origin}`
        : guess === null
          ? '`mai models` lists what is downloaded.'
          : `Did you mean ${guess}?`;
    throw new LMStudioError(
      'MODEL_NOT_FOUND',
      `${key} is neither a downloaded model nor a file. ${next}`,
      { modelKey: key, suggestions: guess === null ? [] : [guess] },
    );
  }
  const { sizeBytes, format, architecture } = model;
  const { link } = library;
  const isHere = link.kind === 'off' || link.client.host.isLocal;
  const bySize = (why: string) =>
    ({ kind: 'size', sizeBytes, format, architecture, layers: null, why, isHere }) as const;
  const files = library.filesOf(key);
  const [file] = files?.files ?? [];
  if (format !== 'gguf') {
    const mlx = file === undefined ? null : await openMlxFolder(path.dirname(file));
    if (mlx !== null) return mlx;
    if (sizeBytes > 0) return bySize('it is no GGUF model');
    throw new UsageError(
      `${key} is no GGUF model (its format is ${format}), and its size is not known: \`mai models\` shows LM Studio's own estimate of it.`,
    );
  }
  if (file === undefined || !(await isThere(file))) {
    if (sizeBytes > 0)
      return bySize("its file is not in LM Studio's models folder on this machine");
    throw new ModelFileError(
      'FILE_NOT_FOUND',
      `The file of ${key} is not in LM Studio's models folder on this machine. Name the file itself; \`mai models\` shows LM Studio's own estimate.`,
      { path: file ?? null },
    );
  }
  const { signal } = context;
  const projector = (await files?.findProjector()) ?? null;
  return {
    kind: 'header',
    file,
    header: await readGgufHeader(file, { signal }),
    visionProjector: projector === null ? null : await readGgufHeader(projector, { signal }),
  };
}
