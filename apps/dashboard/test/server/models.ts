import type { Footprint, LoadConfig, ModelSpeed } from '../../src/api/api.generated.js';

export const GIB = 1024 ** 3;

/** A model of the scripted machine. Its figures are made up, but of the size of real ones. */
export interface ScriptedModel {
  readonly modelKey: string;
  readonly tier: 'small' | 'medium' | 'large';
  readonly capabilities: readonly ('chat' | 'reasoning' | 'coding' | 'tools' | 'vision')[];
  readonly downloaded: boolean;
  readonly weightsGib: number;
  /** Share of the weights on the GPU, 0 to 1. */
  readonly onGpu: number;
  /** Bytes of the KV cache for one token in f16. */
  readonly kvBytesPerToken: number;
  readonly contextLengthTokens: number;
  readonly maxContextLengthTokens: number;
  /** Null: not known. */
  readonly speed: ModelSpeed | null;
  readonly quality: number | null;
}

const speedOf = (
  tokensPerSecond: number,
  firstTokenMs: number,
  loadMs: number | null,
  measured = false,
): ModelSpeed => ({ tokensPerSecond, firstTokenMs, loadMs, measured });

/** The chain in order of preference. */
export const CHAIN: readonly ScriptedModel[] = [
  {
    modelKey: 'openai/gpt-oss-120b',
    tier: 'large',
    downloaded: true,
    capabilities: ['chat', 'reasoning', 'coding', 'tools'],
    weightsGib: 59.0,
    onGpu: 0.16,
    kvBytesPerToken: 73_728,
    contextLengthTokens: 32_768,
    maxContextLengthTokens: 131_072,
    speed: speedOf(14.2, 9800, 31_000),
    quality: 0.72,
  },
  {
    modelKey: 'qwen/qwen3-30b-a3b-2507',
    tier: 'large',
    downloaded: true,
    capabilities: ['chat', 'reasoning', 'coding', 'tools'],
    weightsGib: 17.3,
    onGpu: 0.42,
    kvBytesPerToken: 98_304,
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 262_144,
    speed: speedOf(38.6, 2900, 9400, true),
    quality: 0.66,
  },
  {
    modelKey: 'qwen/qwen3-8b',
    tier: 'medium',
    downloaded: true,
    capabilities: ['chat', 'reasoning', 'tools'],
    weightsGib: 4.7,
    onGpu: 1,
    kvBytesPerToken: 147_456,
    contextLengthTokens: 8192,
    maxContextLengthTokens: 40_960,
    speed: speedOf(61, 1250, 3100, true),
    quality: 0.55,
  },
  {
    modelKey: 'google/gemma-3-4b',
    tier: 'small',
    downloaded: true,
    capabilities: ['chat', 'vision'],
    weightsGib: 2.5,
    onGpu: 1,
    kvBytesPerToken: 139_264,
    contextLengthTokens: 8192,
    maxContextLengthTokens: 131_072,
    speed: speedOf(94, 640, 2000),
    quality: 0.44,
  },
  {
    modelKey: 'qwen/qwen3-1.7b',
    tier: 'small',
    downloaded: false,
    capabilities: ['chat', 'tools'],
    weightsGib: 1.2,
    onGpu: 1,
    kvBytesPerToken: 114_688,
    contextLengthTokens: 8192,
    maxContextLengthTokens: 40_960,
    speed: null,
    quality: null,
  },
];

/** Downloaded models outside of the chain. */
export const BESIDE: readonly ScriptedModel[] = [
  {
    modelKey: 'mistralai/devstral-small-2507',
    tier: 'large',
    downloaded: true,
    capabilities: ['chat', 'coding', 'tools'],
    weightsGib: 13.3,
    onGpu: 0.5,
    kvBytesPerToken: 163_840,
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 131_072,
    speed: speedOf(11.4, 4300, 7200),
    quality: 0.6,
  },
];

/** The settings that decide about the memory. */
export interface Asked {
  readonly contextLengthTokens: number;
  readonly bytesPerValue: number;
  readonly parallelSequences: number;
}

export const VALUE_BYTES: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 1.0625,
  q5_1: 0.75,
  q5_0: 0.6875,
  q4_1: 0.625,
  q4_0: 0.5625,
  iq4_nl: 0.5625,
};

/** The parts of a load on the GPU and in RAM, in bytes. */
export function partsOf(model: ScriptedModel, asked: Asked) {
  const weights = model.weightsGib * GIB;
  const kv =
    model.kvBytesPerToken *
    (asked.bytesPerValue / 2) *
    asked.contextLengthTokens *
    asked.parallelSequences;
  return {
    gpu: { weights: weights * model.onGpu, kv, compute: 0.36 * GIB },
    ram: { weights: weights * (1 - model.onGpu), compute: 0.22 * GIB },
  };
}

export const GPU = 'pci-0000:01:00.0';

export function footprintOf(model: ScriptedModel, asked: Asked, measured: boolean): Footprint {
  const { gpu, ram } = partsOf(model, asked);
  const onGpu = gpu.weights + gpu.kv + gpu.compute;
  const total = onGpu + ram.weights + ram.compute;
  return {
    totalBytes: total,
    lowBytes: total * 0.985,
    highBytes: total * 1.02,
    mappedBytes: ram.weights,
    anonymousBytes: ram.compute,
    gpus: [{ deviceKey: GPU, bytes: onGpu }],
    growthBytes: 0.2 * GIB,
    source: measured ? 'measured' : 'gguf-header',
    confidence: 'high',
  };
}

export function loadConfigOf({ contextLengthTokens }: ScriptedModel): LoadConfig {
  return {
    contextLengthTokens,
    parallelSequences: null,
    offloadRatio: null,
    kvCacheTypeK: null,
    kvCacheTypeV: null,
    flashAttention: null,
    cpuExpertRatio: null,
  };
}

export function configured({ contextLengthTokens }: ScriptedModel): Asked {
  return { contextLengthTokens, bytesPerValue: 2, parallelSequences: 1 };
}

export function modelOf(modelKey: string): ScriptedModel | undefined {
  return [...CHAIN, ...BESIDE].find((one) => one.modelKey === modelKey);
}
