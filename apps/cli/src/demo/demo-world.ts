import type { Resources } from '@mai/memory-ledger';
import type { WorldInput, WorldModelInput } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/host';

/** The simulated world of the demo, scaled to the size of this machine. */
export interface DemoSetting {
  readonly world: WorldInput;
  readonly config: ModelConfigFile;
  /** The pool that the story is about. */
  readonly pool: DemoPool;
  /** Model keys, largest first. */
  readonly keys: readonly [large: string, medium: string, small: string];
}

export interface DemoPool {
  /** Null: system memory. */
  readonly deviceKey: string | null;
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly limitRatio: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** The default limits, raised only where the machine is too full for the story. */
const USUAL_LIMIT = { ram: 0.8, vram: 0.9 };
const LEAST_ROOM_RATIO = 0.06;
/** Maximum size of the largest model, however large the machine. */
const LARGEST_ROOM_BYTES = 48 * GIB;
/** Model sizes as shares of the room under the limit: each fits alone, and each step is visible. */
const SHARES = { large: 0.6, medium: 0.28, small: 0.1 };
/** Bytes per parameter of four-bit weights with their scales. */
const BYTES_PER_PARAMETER = 0.606;
/** Load time of the largest model. */
const LOAD_SECONDS = 2.4;
/** Share of the weights in the whole footprint; the rest is KV cache and buffers. */
const WEIGHTS_RATIO = 0.86;

/**
 * Scales models, limits and speeds so that the story fits this machine, small, large or nearly
 * full.
 */
export function createDemoSetting(resources: Resources): DemoSetting {
  const pool = choosePool(resources);
  const usedBytes = pool.totalBytes - pool.availableBytes;
  const roomBytes = Math.min(LARGEST_ROOM_BYTES, pool.limitRatio * pool.totalBytes - usedBytes);
  const sizes = {
    large: roomBytes * SHARES.large * WEIGHTS_RATIO,
    medium: roomBytes * SHARES.medium * WEIGHTS_RATIO,
    small: roomBytes * SHARES.small * WEIGHTS_RATIO,
  };
  const large = demoModel('sequoia', sizes.large);
  const medium = demoModel('maple', sizes.medium);
  const small = demoModel('clover', sizes.small);
  return {
    pool,
    keys: [large.modelKey, medium.modelKey, small.modelKey],
    world: {
      machine: demoMachine(resources, pool, sizes.large / LOAD_SECONDS),
      models: [large, medium, small],
      // LM Studio's guardrails are off, so that only Mai's own rules decide.
      guardrails: { mode: 'off' },
    },
    config: demoConfig([large, medium, small], pool, usedBytes),
  };
}

/** The memory of a discrete GPU where it can be measured, else system memory. */
function choosePool(resources: Resources): DemoPool {
  const gpu = resources.gpus.find(
    ({ memory, totalBytes, availableBytes }) =>
      memory === 'dedicated' && totalBytes !== null && availableBytes !== null && totalBytes >= GIB,
  );
  const { totalBytes, availableBytes } = gpu ?? resources.ram;
  const total = totalBytes ?? resources.ram.totalBytes;
  const available = availableBytes ?? total / 2;
  const usual = gpu === undefined ? USUAL_LIMIT.ram : USUAL_LIMIT.vram;
  const usedRatio = 1 - available / total;
  const limitRatio = Math.min(
    0.98,
    Math.max(usual, usedRatio + Math.max(LEAST_ROOM_RATIO, (1 - usedRatio) * 0.6)),
  );
  return {
    deviceKey: gpu?.deviceKey ?? null,
    totalBytes: total,
    availableBytes: available,
    limitRatio: Math.round(limitRatio * 100) / 100,
  };
}

function demoModel(name: string, sizeBytes: number): WorldModelInput {
  const parameters = parameterName(sizeBytes / BYTES_PER_PARAMETER);
  const modelKey = `demo/${name}-${parameters.toLowerCase()}`;
  const displayName = `${name.charAt(0).toUpperCase()}${name.slice(1)} ${parameters}`;
  // Layers in proportion to the size, so that the KV cache is always a tenth of the weights.
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

/** `14B`, `1.7B`, `270M`. */
function parameterName(parameters: number): string {
  const billions = parameters / 1e9;
  if (billions >= 10) return `${Math.round(billions)}B`;
  if (billions >= 1) return `${billions.toFixed(1).replace(/\.0$/, '')}B`;
  return `${Math.max(1, Math.round(parameters / 1e6))}M`;
}

function demoMachine(
  { ram, gpus, unified }: Resources,
  { deviceKey }: DemoPool,
  loadBytesPerSecond: number,
): NonNullable<WorldInput['machine']> {
  return {
    name: 'this-machine',
    ramBytes: ram.totalBytes,
    othersRamBytes: ram.totalBytes - (ram.availableBytes ?? ram.totalBytes),
    loadBytesPerSecond,
    // Models are loaded to the story's pool: on a GPU that can't be measured they would be
    // invisible.
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

function demoConfig(
  models: readonly WorldModelInput[],
  pool: DemoPool,
  usedBytes: number,
): ModelConfigFile {
  const usedRatio = usedBytes / pool.totalBytes;
  const percent = Math.round(pool.limitRatio * 100);
  const upgrade = Math.round((usedRatio + 0.8 * (pool.limitRatio - usedRatio)) * 100);
  const headroomBytes = Math.min(GIB, ((1 - pool.limitRatio) * pool.totalBytes) / 2);
  const tiers = ['large', 'medium', 'small'] as const;
  return {
    version: 1,
    models: models.map(({ modelKey }, index) => ({
      key: modelKey,
      category: tiers[index] ?? 'small',
      context_window: CONTEXT_TOKENS,
      capabilities: ['chat', 'tools'],
    })),
    fallback_chains: { default: models.map(({ modelKey }) => modelKey) },
    switching: {
      memory_percent: percent,
      vram_percent: percent,
      upgrade_below_percent_min: Math.min(percent - 2, upgrade),
      hard_limit_percent: Math.min(99, percent + 1),
      unified_hard_limit_percent: Math.min(99, percent + 1),
      min_headroom: `${Math.max(1, Math.floor(headroomBytes / MIB))}MiB`,
    },
  };
}
