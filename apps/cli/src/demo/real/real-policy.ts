import type { ModelConfigFile, ModelReport } from '@mai/host';
import {
  chargeLoad,
  DEFAULT_SELECTION_POLICY,
  fixedPool,
  HARD_LIMIT,
  others,
  room,
  type Resources,
} from '@mai/memory-ledger';

const MIB = 2 ** 20;
/** Room above the largest model, so that small changes of other programs do not cause a switch. */
const SLACK_BYTES = 640 * MIB;
/** The most bytes that the demo's process takes. */
export const MOST_TAKEN_BYTES = 1536 * MIB;

/** Limits and times of the real demo. */
export interface RealPolicy {
  readonly config: ModelConfigFile;
  /** The use of RAM above which Mai steps down. */
  readonly limitBytes: number;
}

/** Settings of the demo's models, the same on every machine: on the CPU, because the demo fills RAM. */
export function realModels(modelKeys: readonly string[]): ModelConfigFile {
  const [small, medium, large] = modelKeys;
  const model = (key = '', category: 'small' | 'medium' | 'large') => ({
    ...{ key, category, context_window: 4096, capabilities: ['chat' as const] },
    load: { gpu_offload: 'off' as const },
  });
  const models = [model(large, 'large'), model(medium, 'medium'), model(small, 'small')];
  return { version: 1, models, fallback_chains: { default: models.map(({ key }) => key) } };
}

/**
 * The demo's own policy. Its limit is a little above the present use and the largest model, and its times are short.
 * Null where the machine has too little free memory for that.
 */
export function realPolicy(
  base: ModelConfigFile,
  models: readonly ModelReport[],
  resources: Resources,
): RealPolicy | null {
  const { totalBytes, availableBytes } = resources.ram;
  const largest = models.find(({ profile }) => profile.modelKey === base.models[0]?.key);
  if (availableBytes === null || largest?.footprint == null) return null;
  const { growth } = DEFAULT_SELECTION_POLICY;
  const loadBytes = chargeLoad(largest.footprint, resources, growth).get('ram') ?? 0;
  const othersBytes = others(totalBytes, availableBytes, 0);
  const limitBytes = othersBytes + loadBytes + SLACK_BYTES;
  const pool = { ...fixedPool('ram', totalBytes), othersBytes, hardLimitRatio: HARD_LIMIT_RATIO };
  // The process and the model that stays must fit below the hard limit, also while Mai has not unloaded yet.
  if (room(pool, HARD_LIMIT) < loadBytes + SLACK_BYTES + MOST_TAKEN_BYTES) return null;
  return {
    limitBytes,
    config: {
      ...base,
      switching: {
        // The minimum headroom sets the limit, because it is exact to the MiB.
        min_headroom: `${Math.floor((totalBytes - limitBytes) / MIB)}MiB`,
        memory_percent: 93,
        upgrade_below_percent_min: 90,
        hard_limit_percent: HARD_LIMIT_RATIO * 100,
        unified_hard_limit_percent: HARD_LIMIT_RATIO * 100,
        // The demo measures tokens per second on a machine that does nothing else, so load of the CPU does not count.
        cpu_percent: 100,
        dwell: '1s',
        cool_down: '2s',
      },
    },
  };
}

const HARD_LIMIT_RATIO = 0.97;
