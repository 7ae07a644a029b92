import path from 'node:path';
import { templateHasTools, templateThinks } from '@mai/memory-ledger';
import type { GgufMetadata } from '../machine/inspect-messages.js';
import type { ModelKind } from '../model-kind.js';
import type { FoundFile } from './model-files.js';
import type { LeftOutModel, LocalModel } from './model-types.js';

/** Architectures of encoders, which compute embeddings. Source: llama-arch.cpp. */
const ENCODERS: ReadonlySet<string> = new Set([
  'bert',
  'nomic-bert',
  'nomic-bert-moe',
  'jina-bert-v2',
  'jina-bert-v3',
  'modern-bert',
  'neo-bert',
  'eurobert',
  't5encoder',
  'gemma-embedding',
]);

/** `llama_pooling_type` of llama.h: 1 to 3 compute one vector from a text, and 4 ranks texts. */
const POOLING_TO_VECTOR: ReadonlySet<number> = new Set([1, 2, 3]);
const POOLING_TO_RANK = 4;

/** Types of projectors in `mtmd_decode_use_non_causal` of tools/mtmd/mtmd.cpp. */
const NON_CAUSAL_PROJECTORS: ReadonlySet<string> = new Set(['gemma3', 'gemma4v', 'gemma4uv']);

/** Names of `general.file_type`. Source: `llama_ftype` in llama.h. */
const FILE_TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [7, 'Q8_0'],
  [8, 'Q5_0'],
  [9, 'Q5_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K_S'],
  [12, 'Q3_K_M'],
  [13, 'Q3_K_L'],
  [14, 'Q4_K_S'],
  [15, 'Q4_K_M'],
  [16, 'Q5_K_S'],
  [17, 'Q5_K_M'],
  [18, 'Q6_K'],
  [19, 'IQ2_XXS'],
  [20, 'IQ2_XS'],
  [21, 'Q2_K_S'],
  [22, 'IQ3_XS'],
  [23, 'IQ3_XXS'],
  [24, 'IQ1_S'],
  [25, 'IQ4_NL'],
  [26, 'IQ3_S'],
  [27, 'IQ3_M'],
  [28, 'IQ2_S'],
  [29, 'IQ2_M'],
  [30, 'IQ4_XS'],
  [31, 'IQ1_M'],
  [32, 'BF16'],
  [36, 'TQ1_0'],
  [37, 'TQ2_0'],
  [38, 'MXFP4_MOE'],
  [39, 'NVFP4'],
  [40, 'Q1_0'],
  [41, 'Q2_0'],
]);

/** A model, or the reason why a file is not offered. */
export type Described =
  | { readonly model: LocalModel; readonly leftOut: null }
  | { readonly model: null; readonly leftOut: LeftOutModel };

/** Describes a GGUF file by its metadata; `null`: llama.cpp cannot read the file. */
export function describeModel(found: FoundFile, metadata: GgufMetadata | null): Described {
  const quantization = metadata === null ? null : quantizationOf(metadata);
  const modelKey = keyOf(found, quantization?.name ?? null);
  if (metadata === null || !found.complete) {
    return { model: null, leftOut: { modelKey, type: null, reason: 'unreadable' } };
  }
  const architecture = textOf(metadata, 'general.architecture');
  const kind = kindOf(architecture, metadata);
  if (kind === null) {
    return { model: null, leftOut: { modelKey, type: architecture, reason: 'other-kind' } };
  }
  const folders = found.path.split('/').slice(0, -1);
  const template = textOf(metadata, 'tokenizer.chat_template');
  return {
    leftOut: null,
    model: {
      modelKey,
      kind,
      displayName: textOf(metadata, 'general.name') ?? modelKey,
      publisher: folders.length > 1 ? (folders[0] ?? null) : null,
      architecture,
      format: 'gguf',
      quantization,
      sizeBytes: found.sizeBytes,
      parameters: textOf(metadata, 'general.size_label'),
      maxContextLengthTokens: contextLengthOf(numberOf(metadata, `${architecture}.context_length`)),
      vision: found.projectorFile !== null,
      toolUse: kind === 'llm' && template !== null && templateHasTools(template),
      reasoning: template === null ? null : templateThinks(template),
      variants: [],
      selectedVariant: null,
      path: found.path,
      deviceIdentifier: null,
      files: found.files,
      projectorFile: found.projectorFile,
    },
  };
}

/** Layers of a model, and those of them that have experts; `null`: the metadata does not say. */
export function layersOf(metadata: GgufMetadata): {
  readonly layers: number | null;
  readonly expertLayers: number | null;
} {
  const architecture = textOf(metadata, 'general.architecture');
  const layers = numberOf(metadata, `${architecture}.block_count`);
  const experts = numberOf(metadata, `${architecture}.expert_count`) ?? 0;
  return { layers, expertLayers: experts > 0 ? layers : 0 };
}

/** Whether a projector's images have tokens that attend to each other in both directions. */
export function hasNonCausalImages(projector: GgufMetadata): boolean {
  const type =
    textOf(projector, 'clip.projector_type') ?? textOf(projector, 'clip.vision.projector_type');
  return type !== null && NON_CAUSAL_PROJECTORS.has(type);
}

/** `null`: a projector, a reranker, or another file that is neither an LLM nor an embedding model. */
function kindOf(architecture: string | null, metadata: GgufMetadata): ModelKind | null {
  if (architecture === null || architecture === 'clip') return null;
  const pooling = numberOf(metadata, `${architecture}.pooling_type`);
  if (pooling === POOLING_TO_RANK) return null;
  const embeds = ENCODERS.has(architecture) || (pooling !== null && POOLING_TO_VECTOR.has(pooling));
  return embeds ? 'embedding' : 'llm';
}

function quantizationOf(metadata: GgufMetadata): LocalModel['quantization'] {
  const name = FILE_TYPES.get(numberOf(metadata, 'general.file_type') ?? -1);
  if (name === undefined) return null;
  return { name, bits: Number(/\d+/.exec(name)?.[0]) };
}

/**
 * The key of a file: the name of its repository (`publisher/repository/file`) in lower case without `-gguf`, with
 * `@quantization` where the repository has several models. A file outside a repository is named by itself.
 */
function keyOf({ path: file, isOnlyOne }: FoundFile, quantization: string | null): string {
  const folders = file.split('/').slice(0, -1);
  const stem = path.posix
    .basename(file)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
  const repository = folders.length > 1 ? folders[1] : undefined;
  const base = (repository ?? stem).toLowerCase().replace(/[-_.]gguf$/, '');
  if (repository === undefined || isOnlyOne) return base;
  return quantization === null ? stem.toLowerCase() : `${base}@${quantization.toLowerCase()}`;
}

function textOf(metadata: GgufMetadata, key: string): string | null {
  const value = metadata[key];
  return value === undefined || value === '' ? null : String(value);
}

/** A context length from 1 to 2^30 tokens; null where a file states no such length. */
function contextLengthOf(tokens: number | null): number | null {
  return tokens !== null && tokens >= 1 ? Math.min(Math.floor(tokens), 2 ** 30) : null;
}

function numberOf(metadata: GgufMetadata, key: string): number | null {
  const value = Number(metadata[key] ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
