import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { UnreadablePath, UnusableFile } from '@mai/lmstudio-adapter';
import { errorCodeOf, isRecord } from '../guards.js';
import { describeNamedFile } from './describe-files.js';
import { readSmallFile } from './read-small-file.js';
import type { StoreFinding, StoreScan, StoreSearch } from './stored-model.js';

// Ollama's store, as ollama's manifest/paths.go, manifest/manifest.go, server/images.go and types/model/name.go
// describe it:
//
//   manifests/HOST/NAMESPACE/MODEL/TAG      a JSON manifest; its path is the name of the model
//   manifests-v2/HOST/NAMESPACE/MODEL/TAG   the same, a link to the blob of the manifest
//   blobs/sha256-DIGEST                     the layers: GGUF files, templates, parameters
//
// The layers for the template and the parameters are not read: they are in Ollama's own format, and a GGUF file has
// a chat template of its own.

const MODEL_LAYER = 'application/vnd.ollama.image.model';
const PROJECTOR_LAYER = 'application/vnd.ollama.image.projector';
const ADAPTER_LAYER = 'application/vnd.ollama.image.adapter';

/** More models than anybody has. */
const MAX_MANIFESTS = 10_000;

/** Lists the models of Ollama's store in a folder. */
export async function scanOllama(folder: string, search: StoreSearch): Promise<StoreScan> {
  const unreadable: UnreadablePath[] = [];
  // Ollama prefers the newer folder, too.
  const names = new Map<string, Manifest>();
  let found = false;
  for (const root of ['manifests-v2', 'manifests'].map((name) => path.join(folder, name))) {
    const manifests = await listManifests(root, unreadable);
    found ||= manifests !== null;
    for (const manifest of manifests ?? [])
      if (!names.has(manifest.name)) names.set(manifest.name, manifest);
  }
  search.signal.throwIfAborted();
  const read = await Promise.all(
    [...names.values()].map((manifest) => readModel(folder, manifest, search)),
  );
  return {
    findings: read.flatMap((one) => ('model' in one ? one : [])),
    unusable: read.flatMap((one) => ('model' in one ? [] : one)),
    unreadable,
    folders: found ? [{ store: 'ollama', folder }] : [],
  };
}

interface Manifest {
  /** The name as `ollama list` prints it. */
  readonly name: string;
  readonly file: string;
}

/** The manifests below a folder, sorted by name; null where the folder does not exist. */
async function listManifests(
  root: string,
  unreadable: UnreadablePath[],
): Promise<readonly Manifest[] | null> {
  let paths: readonly (readonly string[])[] = [[]];
  // The four levels are host, namespace, model and tag.
  for (let level = 0; level < 4; level += 1) {
    const below: (readonly string[])[] = [];
    for (const parts of paths) {
      const entries = await entriesOf(path.join(root, ...parts), unreadable);
      if (entries === null) {
        if (level === 0) return null;
        continue;
      }
      below.push(...entries.filter(isPartOfName).map((entry) => [...parts, entry]));
      if (below.length > MAX_MANIFESTS) {
        unreadable.push({ path: root, code: 'TOO_MANY_ENTRIES' });
        return [];
      }
    }
    paths = below;
  }
  return paths
    .map((parts) => ({ name: nameOf(parts), file: path.join(root, ...parts) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The entries of a folder; null where it is not a folder, or cannot be read. */
async function entriesOf(
  folder: string,
  unreadable: UnreadablePath[],
): Promise<readonly string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = errorCodeOf(error) ?? 'UNKNOWN';
    // A file beside the folders, such as .DS_Store.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') unreadable.push({ path: folder, code });
    return null;
  }
}

/** Ollama reads only such names. Others are files of other programs. */
function isPartOfName(part: string): boolean {
  return /^\w[\w.:-]{0,349}$/.test(part);
}

/** The shortest name that Ollama understands, as its `DisplayShortest` writes it. */
function nameOf([host = '', namespace = '', model = '', tag = '']: readonly string[]): string {
  const isDefaultHost = /^(?:registry\.ollama\.ai|ollama\.com)$/i.test(host);
  const isDefault = isDefaultHost && namespace.toLowerCase() === 'library';
  const prefix = isDefault ? '' : isDefaultHost ? `${namespace}/` : `${host}/${namespace}/`;
  return `${prefix}${model}:${tag}`;
}

async function readModel(
  folder: string,
  { name, file }: Manifest,
  search: StoreSearch,
): Promise<StoreFinding | UnusableFile> {
  const refuse = (code: string, why: string): UnusableFile => ({
    path: name,
    filePath: file,
    modelKey: name,
    code,
    why,
  });
  const layers = await readLayers(folder, file).catch(
    (error: unknown) => errorCodeOf(error) ?? 'NOT_JSON',
  );
  if (typeof layers === 'string')
    return refuse('MANIFEST_UNREADABLE', `its manifest ${file} cannot be read (${layers})`);
  const digestOf = (type: string): string | null =>
    // Where several layers have the same type, Ollama uses the last one.
    layers.findLast(({ mediaType }) => mediaType === type)?.digest ?? null;
  const digest = digestOf(MODEL_LAYER);
  if (digest === null) return refuse('NO_GGUF', 'its manifest names no GGUF file');
  if (digestOf(ADAPTER_LAYER) !== null)
    return refuse('ADAPTER', 'it needs a LoRA adapter, which the embedded engine does not load');
  const blob = (hex: string): string => path.join(folder, 'blobs', `sha256-${hex}`);
  const projector = digestOf(PROJECTOR_LAYER);
  const [model = '', tag = ''] = name.slice(name.lastIndexOf('/') + 1).split(':');
  const described = await describeNamedFile(
    {
      modelKey: name,
      displayName: tag === 'latest' ? model : `${model} ${tag}`,
      publisher: name.includes('/') ? (name.split('/').at(-2) ?? null) : null,
      filePath: blob(digest),
      projectorPath: projector === null ? null : blob(projector),
    },
    search,
  );
  if (described.kind === 'unusable') return described.file;
  return {
    source: { store: 'ollama', name, path: blob(digest) },
    folder,
    model: described.model,
    repository: null,
    sha256: digest,
  };
}

interface Layer {
  readonly mediaType: string;
  /** 64 hexadecimal digits in lower case. */
  readonly digest: string;
}

/** The layers of a manifest. In a list of manifests, those of the manifest for llama.cpp. */
async function readLayers(folder: string, file: string): Promise<readonly Layer[]> {
  const manifest = await readJson(file);
  const children = Array.isArray(manifest['manifests']) ? manifest['manifests'] : null;
  if (children === null) return layersIn(manifest);
  const child = children
    .filter(isRecord)
    .find(({ runner }) => runner === 'ollama' || runner === 'llamacpp');
  const digest = digestIn(child?.['digest']);
  if (child === undefined || digest === null) return layersIn(child ?? {});
  return layersIn(await readJson(path.join(folder, 'blobs', `sha256-${digest}`)));
}

async function readJson(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readSmallFile(file);
  if (text === null) throw Object.assign(new Error(`${file} does not exist.`), { code: 'ENOENT' });
  const value: unknown = JSON.parse(text);
  return isRecord(value) ? value : {};
}

function layersIn({ layers }: Readonly<Record<string, unknown>>): readonly Layer[] {
  return (Array.isArray(layers) ? layers : []).filter(isRecord).flatMap((layer): Layer[] => {
    const { mediaType } = layer;
    const digest = digestIn(layer['digest']);
    return typeof mediaType !== 'string' || digest === null ? [] : [{ mediaType, digest }];
  });
}

/** Only a complete SHA-256 names a blob, so that a digest cannot lead out of the folder. */
function digestIn(value: unknown): string | null {
  const hex = typeof value === 'string' ? /^sha256[:-]([0-9a-f]{64})$/i.exec(value)?.[1] : null;
  return hex?.toLowerCase() ?? null;
}
