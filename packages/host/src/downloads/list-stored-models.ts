import path from 'node:path';
import type { UnreadablePath, UnusableFile } from '@mai/lmstudio-adapter';
import { findLMStudioHome } from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import { quantizationOf, withHeaderFacts } from '../model-files/header-facts.js';
import { createFactsReader, judgeFile, type FactsReader } from '../model-files/judge-file.js';
import { scanGpt4All } from '../stores/gpt4all.js';
import { scanHuggingFace } from '../stores/hugging-face.js';
import { scanJan } from '../stores/jan.js';
import { scanLlamaCpp } from '../stores/llama-cpp.js';
import { mergeFindings, sourcesOf } from './merge-findings.js';
import { scanOllama } from '../stores/ollama.js';
import { scanFolder } from '../stores/scan-folder.js';
import {
  expandHome,
  huggingFaceFolder,
  llamaCppFolder,
  ollamaFolders,
} from '../stores/store-places.js';
import { keysOf } from './stored-keys.js';
import {
  EMPTY_SCAN,
  joinScans,
  type StoredModel,
  type StorePlace,
  type StoreScan,
  type StoreSearch,
} from '../stores/stored-model.js';

/** Where to look for models. */
export interface StoredModelsLookup extends Omit<StoreSearch, 'judge'> {
  /** Folders of the configuration: absolute paths, or paths that begin with `~`. */
  readonly modelFolders: readonly string[];
  readonly headers: HeaderCache;
  /** Default: a reader of `headers`. */
  readonly readFacts?: FactsReader;
  /** The store of Ollama's service on Linux. Tests replace it. */
  readonly ollamaServiceFolder?: string;
}

/** The GGUF models on this machine. */
export interface StoredModels {
  /** Sorted by key. Each key occurs once, and each file is one model. */
  readonly models: readonly StoredModel[];
  /** Files that are not models or that llama.cpp refuses, each with the reason. */
  readonly unusable: readonly UnusableFile[];
  readonly unreadable: readonly UnreadablePath[];
  /** The folders that exist. */
  readonly places: readonly StorePlace[];
  /** Folders of the configuration that do not exist. */
  readonly missingModelFolders: readonly string[];
}

/**
 * Lists the GGUF models that other programs have put on this machine: LM Studio, Ollama, the Hugging Face cache,
 * llama.cpp, Jan, GPT4All, and the folders of the configuration. Only reads. A file that is found in several places is
 * one model. Never throws for a file or folder that cannot be read; it is named in the answer.
 *
 * @throws the reason of the signal
 */
export async function listStoredModels(lookup: StoredModelsLookup): Promise<StoredModels> {
  const { headers, signal, readFacts = createFactsReader(headers) } = lookup;
  const search: StoreSearch = {
    ...lookup,
    // Models of other formats are left out.
    judge: (file, format = 'gguf') =>
      format === 'gguf'
        ? judgeFile(file, readFacts, 'embedded', signal)
        : Promise.resolve({ kind: 'model' }),
  };
  const folders = [
    ...new Set(lookup.modelFolders.map((one) => path.resolve(expandHome(one, lookup.userHome)))),
  ];
  const [stores, configured] = await Promise.all([
    scanStores(search, lookup.ollamaServiceFolder),
    Promise.all(folders.map((folder) => scanConfigured(folder, search))),
  ]);
  const scan = joinScans([stores, ...configured]);
  signal.throwIfAborted();
  const merged = await mergeFindings(scan.findings);
  const described = await Promise.all(
    merged.map(async (same) => {
      const [{ model, repository: own }] = same;
      const facts = await readFacts(model.filePath, signal);
      const projector = same.find((one) => one.model.projectorPath !== null)?.model ?? model;
      return {
        same,
        repository: own,
        model: {
          ...withHeaderFacts(model, facts),
          quantization: model.quantization ?? quantizationOf(facts),
          // One store can have the projector that another one lacks.
          sizeBytes: Math.max(model.sizeBytes, projector.sizeBytes),
          vision: projector.projectorPath !== null,
          projectorPath: projector.projectorPath,
        },
      };
    }),
  );
  const keys = keysOf(described);
  const models = described
    .map(({ model, same }, index): StoredModel => ({
      ...model,
      modelKey: keys[index] ?? model.modelKey,
      sources: sourcesOf(same),
    }))
    .sort((a, b) => (a.modelKey < b.modelKey ? -1 : 1));
  return {
    models,
    unusable: withoutKeysOf(models, scan.unusable),
    unreadable: topmost(distinctBy(scan.unreadable, (one) => one.path)).sort(byPath),
    places: distinctBy(scan.folders, ({ folder }) => folder).map((place) => ({
      ...place,
      models: merged.filter((same) => same.some(({ folder }) => folder === place.folder)).length,
    })),
    missingModelFolders: folders.filter((_, index) => configured[index]?.folders.length === 0),
  };
}

async function scanStores(
  search: StoreSearch,
  ollamaServiceFolder: string | undefined,
): Promise<StoreScan> {
  const home = findLMStudioHome(search);
  const hub = huggingFaceFolder(search);
  const llamaCpp = llamaCppFolder(search);
  return joinScans(
    await Promise.all([
      home === null
        ? EMPTY_SCAN
        : scanFolder('lmstudio', home.modelsFolder, search, { home: home.path }),
      ...ollamaFolders(search, ollamaServiceFolder).map((folder) => scanOllama(folder, search)),
      scanHuggingFace('huggingface', hub, search),
      // Newer versions of llama.cpp use LLAMA_CACHE as a Hugging Face cache, older ones as a flat folder.
      scanLlamaCpp(llamaCpp, search),
      llamaCpp === hub ? EMPTY_SCAN : scanHuggingFace('llama.cpp', llamaCpp, search),
      scanJan(search),
      scanGpt4All(search),
    ]),
  );
}

/** Scans a folder of the configuration, which can also be another place of a Hugging Face cache or of Ollama's store. */
async function scanConfigured(folder: string, search: StoreSearch): Promise<StoreScan> {
  return joinScans(
    await Promise.all([
      scanFolder('folder', folder, search, { layout: 'free' }),
      scanHuggingFace('folder', folder, search),
      scanOllama(folder, search),
    ]),
  );
}

/** Each unusable file once. It has no key where a model has its key. */
function withoutKeysOf(
  models: readonly StoredModel[],
  unusable: readonly UnusableFile[],
): readonly UnusableFile[] {
  const taken = new Set(models.map(({ modelKey }) => modelKey));
  return distinctBy(unusable, ({ filePath, path: name }) => `${filePath} ${name}`)
    .map((file) =>
      file.modelKey !== null && taken.has(file.modelKey) ? { ...file, modelKey: null } : file,
    )
    .sort(byPath);
}

/** Leaves out the paths below another path of the list, which cannot be read for the same reason. */
function topmost(unreadable: readonly UnreadablePath[]): UnreadablePath[] {
  const paths = new Set(
    unreadable.filter(({ code }) => code !== 'TOO_MANY_ENTRIES').map((one) => one.path),
  );
  const parentsOf = (file: string): readonly string[] => {
    const parent = path.dirname(file);
    return parent === file ? [] : [parent, ...parentsOf(parent)];
  };
  return unreadable.filter((one) => !parentsOf(one.path).some((parent) => paths.has(parent)));
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/** The first of the values that have the same name. */
function distinctBy<Value>(values: readonly Value[], nameOf: (value: Value) => string): Value[] {
  const byName = new Map<string, Value>();
  for (const value of values) {
    const name = nameOf(value);
    if (!byName.has(name)) byName.set(name, value);
  }
  return [...byName.values()];
}
