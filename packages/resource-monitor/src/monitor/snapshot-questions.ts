import {
  chargeLoad,
  chargeResidents,
  checkRange,
  DEFAULT_SELECTION_POLICY,
  fits,
  isMeasured,
  isOverLimit,
  LIMIT,
  measurePools,
  type Resources,
} from '@mai/memory-ledger';
import type { Footprint, Pool, SelectionPolicy } from '@mai/memory-ledger';
import type { History, Series } from '../history/history.js';
import { describeTrend } from '../history/trend.js';
import type { ResourceSnapshot } from '../snapshot.js';
import type { CallOptions, LimitOptions, ResourceMonitor } from './resource-monitor.js';

const WINDOW_MS = 300_000;

/** Answers a monitor's questions from its samples, live or recorded. `nowMs` is in the history's monotonic time. */
export function snapshotQuestions(
  history: History,
  snapshot: (options: CallOptions) => Promise<ResourceSnapshot>,
  nowMs: () => number,
): Pick<ResourceMonitor, 'history' | 'trend' | 'isOverloaded' | 'canFit'> {
  return {
    history: ({ series, windowMs = WINDOW_MS }) => {
      checkRange('windowMs', windowMs, 0, Infinity);
      return history.buckets(series, windowMs, nowMs());
    },
    trend: ({ series = 'ram', windowMs = WINDOW_MS, limitRatio = defaultLimitOf(series) } = {}) => {
      checkRange('windowMs', windowMs, 0, Infinity);
      checkRange('limitRatio', limitRatio, 0, 1);
      const now = nowMs();
      const buckets = history.buckets(series, windowMs, now);
      const total = history.totalOf(series);
      return describeTrend(series, buckets, total, limitRatio, history.toEpochMs(now));
    },
    isOverloaded: async (options = {}) => isOverloaded(await snapshot(options), options),
    canFit: async (footprint, options = {}) => canFit(await snapshot(options), footprint, options),
  };
}

/** The default policy's limit for a series, 0 to 1. It is 1 for swap, which the policy does not limit. */
function defaultLimitOf(series: Series): number {
  const { memoryLimitRatio, vramLimitRatio, cpuLimitRatio } = DEFAULT_SELECTION_POLICY;
  switch (series) {
    case 'ram':
      return memoryLimitRatio;
    case 'cpu':
      return cpuLimitRatio;
    case 'swap':
      return 1;
    default:
      return vramLimitRatio;
  }
}

type Limits = Pick<LimitOptions, 'policy' | 'residents'>;

/**
 * Whether a footprint can be loaded within the limits of the policy: the ledger's `fits`. Null if the footprint
 * is charged to a pool that is not measured, and no measured pool is too small.
 */
export function canFit(
  snapshot: Resources,
  footprint: Footprint,
  limits: Limits = {},
): boolean | null {
  const pools = poolsOf(snapshot, limits);
  const needed = chargeLoad(footprint, snapshot, policyOf(limits).growth);
  if (!fits(pools, needed, { limit: LIMIT })) return false;
  return isMeasured(pools, needed) ? true : null;
}

/** Whether a measured pool, or the CPU, is above its limit. Figures that are not known are ignored. */
export function isOverloaded(snapshot: ResourceSnapshot, limits: Limits = {}): boolean {
  const { cpuLimitRatio } = policyOf(limits);
  const { utilizationRatio } = snapshot.cpu;
  return (
    (utilizationRatio !== null && utilizationRatio > cpuLimitRatio) ||
    poolsOf(snapshot, limits).some((pool) => pool.measured && isOverLimit(pool, LIMIT))
  );
}

function poolsOf(snapshot: Resources, limits: Limits): readonly Pool[] {
  const policy = policyOf(limits);
  const residents = (limits.residents ?? []).map((footprint: Footprint | null) => ({
    footprint,
    observation: null,
  }));
  return measurePools(snapshot, chargeResidents(residents, snapshot, policy.growth), policy);
}

function policyOf({ policy = DEFAULT_SELECTION_POLICY }: Limits): SelectionPolicy {
  return policy;
}
