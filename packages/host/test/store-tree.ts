import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openHeaderCache } from '@mai/memory-estimator';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { bytesOf, emptyFile, languageModel } from '../../memory-estimator/test/language-model.js';
import { listStoredModels, type StoredModels } from '../src/downloads/list-stored-models.js';

const Q4_K_M = 15;

/** The bytes of a small model that llama.cpp loads. Another name gives another file. */
export function gguf(name: string, facts: { readonly tools?: boolean } = {}): Buffer {
  const file = languageModel();
  file.metadata.set('general.name', name);
  file.metadata.set('general.file_type', Q4_K_M);
  if (facts.tools === true)
    file.metadata.set('tokenizer.chat_template', '{% if tools %}{{ tools }}{% endif %}');
  return bytesOf(file);
}

/** The bytes of the two files of a split model, as gguf-split writes them. */
export function splitGguf(name: string): readonly [Buffer, Buffer] {
  const [first, second] = [languageModel(), languageModel()];
  first.metadata.set('general.name', name);
  for (const [index, { metadata, tensors }] of [first, second].entries())
    metadata
      .set('split.no', { type: 'u16', value: index })
      .set('split.count', { type: 'u16', value: 2 })
      .set('split.tensors.count', { type: 'i32', value: tensors.size });
  for (const tensor of [...first.tensors.keys()])
    (tensor.startsWith('blk.1') ? first : second).tensors.delete(tensor);
  return [bytesOf(first), bytesOf(second)];
}

/** The bytes of a vision projector. @param width The width of its model; null: of a type whose width is not read. */
export function projector(width: number | null = null): Buffer {
  const file = emptyFile('clip');
  file.metadata.set('clip.has_vision_encoder', true);
  file.tensors.set('v.patch_embd.weight', { shape: [8] });
  if (width !== null) {
    file.metadata.set('clip.projector_type', 'gemma3');
    file.tensors.set('mm.input_projection.weight', { shape: [width, 8] });
  }
  return bytesOf(file);
}

/** The bytes of a LoRA adapter. */
export function adapter(): Buffer {
  const file = emptyFile('llama');
  file.metadata.set('general.type', 'adapter');
  return bytesOf(file);
}

export const sha256 = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** A home folder with the stores of other programs, in the layouts in which these programs write them. */
export interface StoreTree extends AsyncDisposable {
  readonly home: string;
  /** Absolute path of a file in the home folder. */
  readonly at: (file: string) => string;
  readonly put: (file: string, contents: Buffer | string) => Promise<string>;
  readonly link: (target: string, file: string) => Promise<void>;
  /** Writes a blob of Ollama's store, and returns its layer. */
  readonly layer: (kind: string, contents: Buffer | string) => Promise<OllamaLayer>;
  /** Writes a manifest of Ollama's store. `name` is HOST/NAMESPACE/MODEL/TAG. */
  readonly manifest: (name: string, layers: readonly OllamaLayer[]) => Promise<string>;
  /** Writes a file of the Hugging Face cache: a blob, and its link in a snapshot. */
  readonly hub: (file: HubFile) => Promise<string>;
  readonly list: (options?: ListOptions) => Promise<StoredModels>;
}

export interface OllamaLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface HubFile {
  readonly repository: string;
  readonly file: string;
  readonly contents: Buffer;
  readonly commit?: string;
  readonly cache?: string;
}

interface ListOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: NodeJS.Platform;
  readonly modelFolders?: readonly string[];
  readonly signal?: AbortSignal;
}

const COMMIT = 'a'.repeat(40);

/** Creates an empty home folder. */
export async function openStoreTree(): Promise<StoreTree> {
  const home = await mkdtemp(path.join(tmpdir(), 'mai stores '));
  const at = (file: string): string => path.join(home, file);
  const put = async (file: string, contents: Buffer | string): Promise<string> => {
    await mkdir(path.dirname(at(file)), { recursive: true });
    await writeFile(at(file), contents);
    return at(file);
  };
  const link = async (target: string, file: string): Promise<void> => {
    await mkdir(path.dirname(at(file)), { recursive: true });
    await symlink(target, at(file));
  };
  return {
    home,
    at,
    put,
    link,
    layer: async (kind, contents) => {
      const digest = sha256(contents);
      await put(`.ollama/models/blobs/sha256-${digest}`, contents);
      return {
        mediaType: `application/vnd.ollama.image.${kind}`,
        digest: `sha256:${digest}`,
        size: contents.length,
      };
    },
    manifest: (name, layers) =>
      put(
        `.ollama/models/manifests/${name}`,
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
          config: {
            mediaType: 'application/vnd.docker.container.image.v1+json',
            digest: `sha256:${'0'.repeat(64)}`,
            size: 10,
          },
          layers,
        }),
      ),
    hub: async ({
      repository,
      file,
      contents,
      commit = COMMIT,
      cache = '.cache/huggingface/hub',
    }) => {
      const root = `${cache}/models--${repository.replaceAll('/', '--')}`;
      const blob = await put(`${root}/blobs/${sha256(contents)}`, contents);
      const snapshot = `${root}/snapshots/${commit}/${file}`;
      await link(path.relative(path.dirname(at(snapshot)), blob), snapshot);
      if (commit === COMMIT) await put(`${root}/refs/main`, commit);
      return blob;
    },
    list: ({ env = {}, platform = 'linux', modelFolders = [], signal } = {}) =>
      listStoredModels({
        userHome: home,
        env,
        platform,
        modelFolders,
        signal: signal ?? new AbortController().signal,
        headers: openHeaderCache({ file: at('cache/headers.json') }),
        ollamaServiceFolder: at('service/models'),
      }),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
