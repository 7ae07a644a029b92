import {
  charge,
  chargeLoad,
  DEFAULT_SELECTION_POLICY,
  fixedPool,
  hasOwnMemory,
  others,
  type Pool,
  type PoolName,
  type Resources,
} from '@mai/memory-ledger';
import type { ModelConfigFile } from '@mai/model-config';
import type { SelectionInput, PoolOutcome } from '@mai/selector';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Minimum room below the limit, as a share of the pool. */
const LEAST_ROOM_RATIO = 0.06;

/** The pool that the simulated demo fills: the memory of the first dedicated GPU that can be measured, else RAM. */
export function simulatedDemoPool(resources: Resources): Pool {
  const gpu = resources.gpus.find(
    (one) =>
      hasOwnMemory(one, resources) &&
      one.totalBytes !== null &&
      one.availableBytes !== null &&
      one.totalBytes >= GIB,
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

/**
 * The configuration of the simulated demo, with limits that suit the present use of the pool.
 *
 * @param modelKeys - the largest model first
 */
export function simulatedDemoConfig(
  modelKeys: readonly string[],
  contextLengthTokens: number,
  pool: Pool,
): ModelConfigFile {
  const usedRatio = pool.othersBytes / pool.totalBytes;
  const percent = Math.round(pool.limitRatio * 100);
  const upgrade = Math.round((usedRatio + 0.8 * (pool.limitRatio - usedRatio)) * 100);
  const headroomBytes = Math.min(GIB, ((1 - pool.limitRatio) * pool.totalBytes) / 2);
  const tiers = ['large', 'medium', 'small'] as const;
  return {
    version: 1,
    models: modelKeys.map((key, index) => ({
      key,
      category: tiers[index] ?? 'small',
      context_window: contextLengthTokens,
      capabilities: ['chat', 'tools'],
    })),
    fallback_chains: { default: modelKeys },
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

/** Bytes to inject so that the largest model no longer fits, and the middle one still fits. */
export function simulatedDemoPressure(
  { candidates, resources, policy }: SelectionInput,
  pools: readonly PoolOutcome[],
  name: PoolName,
): number {
  const pool = pools.find((one) => one.pool === name);
  const [large, medium] = candidates.map(({ loadOptions }) => loadOptions[0]?.footprint);
  if (pool === undefined || large == null || medium == null) return 0;
  // The large model is loaded, so it is charged its expected size. A load is charged the upper end of its interval.
  const staysBytes = charge(large, resources, 'expected', 'ignore').charge.get(name) ?? 0;
  const loadBytes = chargeLoad(medium, resources, policy.growth).get(name) ?? 0;
  const roomBytes = pool.limitBytes - pool.othersBytes;
  return Math.max(0, Math.round(roomBytes - (staysBytes + loadBytes) / 2));
}
