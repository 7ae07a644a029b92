import type { Resources } from '@mai/memory-ledger';
import type { WorldInput, WorldModelInput } from './world-input.js';

/** The memory that the models of a world must fit into. */
export interface WorldRoom {
  /** The machine that has the memory. */
  readonly resources: Resources;
  /** The GPU that models are loaded on; null: system memory. */
  readonly deviceKey: string | null;
  /** How much memory models may take. */
  readonly roomBytes: number;
}

/** A world with three models of different size. */
export interface FittedWorld {
  readonly world: WorldInput;
  readonly models: readonly [
    large: WorldModelInput,
    medium: WorldModelInput,
    small: WorldModelInput,
  ];
  /** The context length that fits beside the weights, in tokens. */
  readonly contextLengthTokens: number;
}

/** Each model's share of the room. Every model fits alone, and the next model is clearly smaller. */
const SHARES = { large: 0.6, medium: 0.28, small: 0.1 };
/** Bytes that a parameter takes in four-bit weights, with their scales. */
const BYTES_PER_PARAMETER = 0.606;
/** The load time of the largest model. */
const LOAD_SECONDS = 2.4;
/** The weights' part of a model's share. The rest is for context and buffers. */
const WEIGHTS_RATIO = 0.86;

/** Makes a world whose models fit a given room. Demos then run on any machine: small, large or nearly full. */
export function fitWorld({ resources, deviceKey, roomBytes }: WorldRoom): FittedWorld {
  const bytesOf = (share: number) => roomBytes * share * WEIGHTS_RATIO;
  const models = [
    modelOf('sequoia', bytesOf(SHARES.large)),
    modelOf('maple', bytesOf(SHARES.medium)),
    modelOf('clover', bytesOf(SHARES.small)),
  ] as const;
  return {
    models,
    contextLengthTokens: CONTEXT_TOKENS,
    world: {
      machine: machineOf(resources, deviceKey, bytesOf(SHARES.large) / LOAD_SECONDS),
      models,
      // Off, because the caller decides which loads are possible.
      guardrails: { mode: 'off' },
    },
  };
}

function modelOf(name: string, sizeBytes: number): WorldModelInput {
  const parameters = parameterName(sizeBytes / BYTES_PER_PARAMETER);
  const modelKey = `demo/${name}-${parameters.toLowerCase()}`;
  const displayName = `${name.charAt(0).toUpperCase()}${name.slice(1)} ${parameters}`;
  // Layers grow with the size, so that the KV cache is a tenth of the weights at any size.
  const layers = Math.max(1, Math.round(sizeBytes / 10 / KV_BYTES_PER_LAYER));
  return {
    modelKey,
    displayName,
    publisher: 'demo',
    sizeBytes: Math.round(sizeBytes),
    architecture: 'llama',
    paramsString: parameters,
    quantization: { name: 'Q4_K_M', bits: 4 },
    maxContextLength: 32_768,
    trainedForToolUse: true,
    geometry: {
      layers,
      kvHeads: 8,
      headDimension: 128,
      hiddenSize: 1024,
      vocabularySize: 1024,
      slidingLayers: 0,
    },
  };
}

const CONTEXT_TOKENS = 8192;
const KV_BYTES_PER_LAYER = 2 * 8 * 128 * 2 * CONTEXT_TOKENS;

/** The number of parameters as model names have it: `14B`, `1.7B`, `270M`. */
function parameterName(parameters: number): string {
  const billions = parameters / 1e9;
  if (billions >= 10) return `${Math.round(billions)}B`;
  if (billions >= 1) return `${billions.toFixed(1).replace(/\.0$/, '')}B`;
  return `${Math.max(1, Math.round(parameters / 1e6))}M`;
}

function machineOf(
  { ram, gpus, unified }: Resources,
  deviceKey: string | null,
  loadBytesPerSecond: number,
): NonNullable<WorldInput['machine']> {
  return {
    name: 'this-machine',
    ramBytes: ram.totalBytes,
    othersRamBytes: ram.totalBytes - (ram.availableBytes ?? ram.totalBytes),
    loadBytesPerSecond,
    // Other GPUs are left out. Otherwise models would be loaded on a GPU that cannot be measured.
    gpus: gpus.flatMap((gpu) =>
      gpu.totalBytes === null || !(unified || gpu.deviceKey === deviceKey)
        ? []
        : [
            {
              name: gpu.name ?? 'GPU',
              deviceKey: gpu.deviceKey,
              memory: gpu.memory,
              totalBytes: gpu.totalBytes,
              othersBytes: gpu.totalBytes - (gpu.availableBytes ?? gpu.totalBytes),
            },
          ],
    ),
  };
}
