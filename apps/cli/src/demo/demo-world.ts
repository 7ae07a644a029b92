import type { ModelConfigFile } from '@mai/host';
import { fitWorld, type FittedWorld } from '@mai/lmstudio-simulator';
import {
  DEFAULT_SELECTION_POLICY,
  deviceKeyOf,
  fixedPool,
  LIMIT,
  others,
  room,
  type Pool,
  type Resources,
} from '@mai/memory-ledger';

/** The simulated world of the demo, scaled to the size of this machine. */
export interface DemoSetting {
  readonly world: FittedWorld['world'];
  readonly config: ModelConfigFile;
  /** The pool that the demo fills and frees. */
  readonly pool: Pool;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Minimum room below the limit, as a share of the pool. */
const LEAST_ROOM_RATIO = 0.06;
/** Maximum memory that the models are scaled to. */
const LARGEST_ROOM_BYTES = 48 * GIB;

/** Scales models, limits and speeds to this machine, which may be small, large or nearly full. */
export function createDemoSetting(resources: Resources): DemoSetting {
  const pool = choosePool(resources);
  const roomBytes = Math.min(LARGEST_ROOM_BYTES, room(pool, LIMIT));
  const fitted = fitWorld({ resources, deviceKey: deviceKeyOf(pool.name), roomBytes });
  return { pool, world: fitted.world, config: demoConfig(fitted, pool) };
}

/** The memory of the first dedicated GPU that can be measured, else RAM. */
function choosePool(resources: Resources): Pool {
  const gpu = resources.gpus.find(
    ({ memory, totalBytes, availableBytes }) =>
      memory === 'dedicated' && totalBytes !== null && availableBytes !== null && totalBytes >= GIB,
  );
  const { totalBytes, availableBytes } = gpu ?? resources.ram;
  const total = totalBytes ?? resources.ram.totalBytes;
  const available = availableBytes ?? total / 2;
  const { memoryLimitRatio, vramLimitRatio } = DEFAULT_SELECTION_POLICY;
  const usual = gpu === undefined ? memoryLimitRatio : vramLimitRatio;
  const usedRatio = 1 - available / total;
  // A nearly full machine gets a higher limit, so that the models still fit.
  const limitRatio = Math.min(
    0.98,
    Math.max(usual, usedRatio + Math.max(LEAST_ROOM_RATIO, (1 - usedRatio) * 0.6)),
  );
  return {
    ...fixedPool(gpu === undefined ? 'ram' : `gpu:${gpu.deviceKey}`, total),
    othersBytes: others(total, available, 0),
    limitRatio: Math.round(limitRatio * 100) / 100,
  };
}

function demoConfig({ models, contextLengthTokens }: FittedWorld, pool: Pool): ModelConfigFile {
  const usedRatio = pool.othersBytes / pool.totalBytes;
  const percent = Math.round(pool.limitRatio * 100);
  const upgrade = Math.round((usedRatio + 0.8 * (pool.limitRatio - usedRatio)) * 100);
  const headroomBytes = Math.min(GIB, ((1 - pool.limitRatio) * pool.totalBytes) / 2);
  const tiers = ['large', 'medium', 'small'] as const;
  return {
    version: 1,
    models: models.map(({ modelKey }, index) => ({
      key: modelKey,
      category: tiers[index] ?? 'small',
      context_window: contextLengthTokens,
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
