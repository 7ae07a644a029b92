import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGgufHeader } from '../src/gguf/read-gguf-header.js';
import type { GgufHeader } from '../src/gguf/gguf-header.js';
import type { ProfileValues } from '../src/profile/engine-profile.js';
import type { EngineQuestion } from '../src/profile/resolve-profile.js';
import type { EstimateSettings } from '../src/settings/estimate-settings.js';

const FOLDER = join(__dirname, '../../../bench/data/lmstudio-loads');
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

type Figure = number | string | readonly number[] | Readonly<Record<string, number>>;

/** A record of `bench/data/lmstudio-loads/records.json`. */
export interface LoadRecord {
  readonly id: string;
  readonly strength: string;
  readonly printed: Readonly<Record<string, Figure>>;
}

/** The inputs of an estimate for a record's load. */
export interface RecordedLoad {
  readonly header: string;
  readonly engine: EngineQuestion;
  /** The settings that a user states: the context, and every setting that differs from its default. */
  readonly said: Partial<EstimateSettings>;
  /** The record's other settings. */
  readonly own: Partial<EstimateSettings>;
  /** Rules of the engine that the user chose. */
  readonly saidRules?: Partial<ProfileValues>;
  /** Other rules of the engine that the record states. */
  readonly ownRules?: Partial<ProfileValues>;
  readonly isEmbedding?: boolean;
  readonly projector?: GgufHeader;
}

/** LM Studio of July 2025 did not print its runtime. All runtimes of that year were 1.x. */
const JULY_2025: EngineQuestion = { engine: 'lmstudio', runtimeVersion: '1', backend: 'cuda' };
const NEWEST: EngineQuestion = { engine: 'lmstudio', runtimeVersion: '2.37.0', backend: 'cuda' };
const SERVER: EngineQuestion = { engine: 'llama.cpp', runtimeVersion: 'b9849' };
const OF_2025 = {
  flashAttention: false,
  batchTokens: 512,
  ubatchTokens: 512,
  parallelSequences: 1,
} as const;
const QUANTIZED = { kvCacheTypeK: 'q4_0', kvCacheTypeV: 'q4_0' } as const;
/** The size of B8's file. The header describes fewer bytes, because the header was rebuilt. */
export const B8_FILE_BYTES = 15.66 * GIB;

export const RECORDED_LOADS: Readonly<Record<string, RecordedLoad>> = {
  A1: {
    header: 'qwen3-8b-q8_0',
    engine: JULY_2025,
    said: { contextLengthTokens: 131_072 },
    own: { ...OF_2025, kvUnified: true, gpuLayers: 19 },
  },
  A3: {
    header: 'qwen3-8b-q8_0',
    engine: JULY_2025,
    said: { contextLengthTokens: 131_072 },
    own: { ...OF_2025, kvUnified: true, gpuLayers: 15 },
  },
  A5: {
    header: 'gpt-oss-120b',
    engine: {
      engine: 'lmstudio',
      runtimeVersion: 'llama.cpp-mac-arm64-apple-metal-advsimd-1.44.0',
      backend: null,
    },
    said: { contextLengthTokens: 4096 },
    own: { ...OF_2025, kvUnified: false, swaFull: true },
  },
  A7: {
    header: 'qwen3-vl-4b-q8_0',
    engine: { engine: 'lmstudio', runtimeVersion: '2.13.0', backend: 'cuda' },
    said: { contextLengthTokens: 8192 },
    own: { flashAttention: true, batchTokens: 512, ubatchTokens: 512 },
    projector: projectorOf(836_180_160, 1024, 4096),
  },
  B1: {
    header: 'gemma-3-27b',
    engine: { engine: 'lmstudio', runtimeVersion: '1.52.1', backend: 'cuda' },
    said: { contextLengthTokens: 131_072, ...QUANTIZED },
    own: { flashAttention: true },
  },
  B4: {
    header: 'qwen3-embedding-4b-q5_k',
    engine: {
      engine: 'lmstudio',
      runtimeVersion: 'llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2',
      backend: null,
    },
    said: { contextLengthTokens: 8192 },
    own: {},
    isEmbedding: true,
  },
  'B8 mmproj': {
    header: 'qwen3.8-27b-mtp',
    engine: NEWEST,
    said: { contextLengthTokens: 96_000, ...QUANTIZED },
    own: { parallelSequences: 4, kvUnified: true },
    ownRules: { draftTokens: 3 },
    projector: projectorOf(1_840_000_000, 1152, 4304),
  },
  'B8 no pro': {
    header: 'qwen3.8-27b-mtp',
    engine: NEWEST,
    said: { contextLengthTokens: 96_000, ...QUANTIZED },
    own: { parallelSequences: 4, kvUnified: true },
    ownRules: { draftTokens: 3 },
  },
  P1: {
    header: 'qwen3.8-27b-mtp',
    engine: SERVER,
    said: { contextLengthTokens: 8192, ubatchTokens: 2048, gpuBackend: 'vulkan' },
    own: { parallelSequences: 4, kvUnified: true, batchTokens: 2048 },
  },
  P2: {
    header: 'qwen3.8-27b-mtp',
    engine: SERVER,
    said: { contextLengthTokens: 8192, ubatchTokens: 2048, gpuBackend: 'vulkan' },
    own: { parallelSequences: 4 },
    // With llama-server, the user sets draft tokens on the command line.
    saidRules: { draftTokens: 2 },
  },
};

/** The records, in the order of the file. */
export function loadRecords(): readonly LoadRecord[] {
  const text = readFileSync(join(FOLDER, 'records.json'), 'utf8');
  return (JSON.parse(text) as { records: LoadRecord[] }).records;
}

export function recordedHeader(name: string): Promise<GgufHeader> {
  return readGgufHeader(join(FOLDER, 'headers', `${name}.gguf-header`));
}

/** The number that a record prints: a sum where it prints several, and the first number of a text. */
export function printedNumber(record: LoadRecord, key: string): number {
  const figure = record.printed[key];
  if (typeof figure === 'number') return figure;
  if (typeof figure === 'string') return Number(/[\d.]+/.exec(figure)?.[0]);
  if (figure === undefined) throw new Error(`${record.id} prints no ${key}.`);
  return Object.values(figure).reduce((sum, value) => sum + value, 0);
}

/**
 * The projector of a Qwen3-VL model, whose header was not published. The figures are those of the model's
 * `config.json`: patches of 16 pixels, merged two by two.
 */
function projectorOf(fileBytes: number, hidden: number, feedForward: number): GgufHeader {
  return {
    version: 3,
    byteOrder: 'little',
    architecture: 'clip',
    metadata: new Map<string, string | number>([
      ['clip.projector_type', 'qwen3vl_merger'],
      ['clip.vision.embedding_length', hidden],
      ['clip.vision.feed_forward_length', feedForward],
      ['clip.vision.attention.head_count', 16],
      ['clip.vision.patch_size', 16],
      ['clip.vision.spatial_merge_size', 2],
      ['clip.vision.image_size', 768],
    ]),
    valueTypes: new Map(),
    tensors: [],
    tensorBytes: fileBytes,
    fileSizeBytes: fileBytes,
    complete: true,
    hasData: true,
    tokens: null,
    files: [],
  };
}
