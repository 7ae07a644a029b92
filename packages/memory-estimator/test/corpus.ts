import type { KvCacheType } from '@mai/memory-ledger';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readGgufHeader } from '../src/gguf/read-gguf-header.js';
import type { GgufHeader } from '../src/gguf/gguf-header.js';
import type { EngineRules, EstimateSettings } from '../src/settings/estimate-settings.js';

const FOLDER = join(__dirname, 'corpus');

/** A load, with the figures that llama.cpp v0.5.0 reported (through node-llama-cpp 3.22.1). */
export interface CorpusEntry {
  readonly id: string;
  readonly model: string;
  readonly architecture: string;
  readonly contextLength: number;
  readonly kvType: KvCacheType;
  readonly flashAttention: boolean;
  readonly batch: number;
  readonly nUbatchEffective: number;
  readonly parallel: number;
  readonly swaFull: boolean;
  readonly kvUnified: boolean;
  /** Computed by llama.cpp without loading, and therefore without repacking. */
  readonly dryRun: boolean;
  readonly measured: {
    readonly weightsBytes: number;
    readonly repackMiB: number;
    readonly kvBytes: number;
    readonly recurrentBytes: number;
    readonly computeBytes: number;
    readonly outputBytes: number;
    readonly totalBytes: number;
    readonly rssDeltaBytes: number | null;
  };
}

/** A load with layers on a GPU. */
export interface GpuCorpusEntry {
  readonly id: string;
  readonly model: string;
  readonly architecture: string;
  readonly contextLength: number;
  readonly kvType: KvCacheType;
  readonly flashAttention: boolean;
  readonly batch: number;
  readonly parallel: number;
  readonly gpuLayers: number;
  readonly measured: {
    readonly model: { readonly cpuRam: number; readonly gpuVram: number };
    readonly context: { readonly cpuRam: number; readonly gpuVram: number };
    readonly computeLog: readonly { readonly buf: string; readonly mib: number }[];
    readonly kvSize: readonly { readonly mib: number }[];
  };
}

/** The compute buffers of a dry run with Vulkan on Mesa's software device, whose buffers hold at most 128 MiB. */
export interface VulkanEntry {
  readonly model: string;
  readonly gpuLayers: number;
  /** Tokens of each sequence, or of all sequences where they share a cache. */
  readonly contextLength: number;
  readonly parallel: number;
  readonly kvUnified: boolean;
  readonly flashAttention: boolean;
  readonly kvType: KvCacheType;
  /** From llama.cpp's log, which has two decimals. */
  readonly gpuComputeMib: number;
  readonly hostComputeMib: number;
}

/**
 * A real load with the KV cache in RAM (`offload_kqv` is false) and Vulkan on Mesa's software device. A dry run does not show which
 * operations llama.cpp pins to the CPU. The loads of node-llama-cpp were of files with the headers of the corpus, and weights of zeros.
 * Those of llama.node were measured with llama.cpp through @fugood/llama.node. For gemma-3-1b, qwen3next and falcon-h1, their context
 * was not noted: it is the context of the loads of tinyllama (1,024 tokens), and gives their buffers exactly.
 */
export interface CacheInRamEntry {
  readonly model: string;
  /** The binding of llama.cpp: node-llama-cpp 3.22.1 (v0.5.0), or @fugood/llama.node. */
  readonly binding: 'node-llama-cpp' | 'llama.node';
  readonly gpuLayers: number;
  /** Whether the output matrix is larger than the device's largest buffer, so that llama.cpp keeps it in RAM. */
  readonly outputInRam: boolean;
  /** Tokens of each sequence, or of all sequences where they share a cache. */
  readonly contextLength: number;
  readonly parallel: number;
  readonly kvUnified: boolean;
  readonly flashAttention: boolean;
  readonly kvType: KvCacheType;
  readonly reservedLogits: EngineRules['reservedLogits'];
  /** From llama.cpp's log, which has two decimals. */
  readonly gpuComputeMib: number;
  readonly hostComputeMib: number;
  /** In the buffers of the CPU; null where it was not noted. */
  readonly kvCacheMib: number | null;
  readonly stateMib: number | null;
}

export function cacheInRamCorpus(): readonly CacheInRamEntry[] {
  return entries<CacheInRamEntry>('kv-cache-in-ram.json');
}

export function vulkanCorpus(): readonly VulkanEntry[] {
  return entries<VulkanEntry>('vulkan.json');
}

export function cpuCorpus(): readonly CorpusEntry[] {
  return entries<CorpusEntry>('cpu.json');
}

export function gpuCorpus(): readonly GpuCorpusEntry[] {
  return entries<GpuCorpusEntry>('gpu.json');
}

/** The bytes of a model's header, without tensor data. */
export function headerBytes(model: string): Buffer {
  return gunzipSync(readFileSync(join(FOLDER, 'headers', `${model}.gguf-header.gz`)));
}

const headers = new Map<string, Promise<GgufHeader>>();

export function corpusHeader(model: string): Promise<GgufHeader> {
  let header = headers.get(model);
  if (header === undefined) {
    header = readGgufHeader(headerBytes(model));
    headers.set(model, header);
  }
  return header;
}

/** The settings of a corpus entry. */
export function settingsOf(entry: CorpusEntry): EstimateSettings {
  return {
    contextLengthTokens: entry.contextLength,
    kvCacheTypeK: entry.kvType,
    kvCacheTypeV: entry.kvType,
    flashAttention: entry.flashAttention,
    batchTokens: entry.batch,
    ubatchTokens: entry.nUbatchEffective,
    parallelSequences: entry.parallel,
    kvUnified: entry.kvUnified,
    swaFull: entry.swaFull,
    gpuLayers: 0,
    gpuBackend: 'none',
    cpu: entry.dryRun ? 'generic' : 'avx2',
  };
}

function entries<T>(file: string): readonly T[] {
  const { entries: list } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as {
    entries: T[];
  };
  return list;
}
