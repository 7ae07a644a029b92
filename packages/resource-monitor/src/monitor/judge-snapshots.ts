import type { History } from '../history/history.js';
import { describeTrend } from '../history/trend.js';
import { canFit } from '../judge/can-fit.js';
import { isOverloaded } from '../judge/is-overloaded.js';
import type { ResourceSnapshot } from '../snapshot.js';
import type { CallOptions, ResourceMonitor } from './resource-monitor.js';

const WINDOW_MS = 300_000;
const LIMIT_RATIO = 0.9;

/** What a monitor says about its samples, be they live or recorded. `nowMs` is on the clock of the history. */
export function judgeSnapshots(
  history: History,
  snapshot: (options: CallOptions) => Promise<ResourceSnapshot>,
  nowMs: () => number,
): Pick<ResourceMonitor, 'history' | 'trend' | 'isOverloaded' | 'canFit'> {
  return {
    history: ({ series, windowMs = WINDOW_MS }) => history.buckets(series, windowMs, nowMs()),
    trend: ({ series = 'ram', windowMs = WINDOW_MS, limitRatio = LIMIT_RATIO } = {}) => {
      const now = nowMs();
      const buckets = history.buckets(series, windowMs, now);
      const total = history.totalOf(series);
      return describeTrend(series, buckets, total, limitRatio, history.toEpochMs(now));
    },
    isOverloaded: async (thresholds = {}, options = {}) =>
      isOverloaded(await snapshot(options), thresholds),
    canFit: async (footprint, options = {}) => canFit(await snapshot(options), footprint),
  };
}
