import {
  chargeLoad,
  DEFAULT_SELECTION_POLICY,
  fixedPool,
  HARD_LIMIT,
  others,
  room,
  totalBytesOf,
  type Resources,
} from '@mai/memory-ledger';
import type { ModelConfigFile } from '@mai/model-config';
import type { ModelReport } from '../model-list/list-models.js';

const MIB = 2 ** 20;
/** Room above the largest model, so that small changes of other programs do not cause a switch. */
const SLACK_BYTES = 640 * MIB;
/** The most bytes that the demo's process takes. */
const MOST_TAKEN_BYTES = 1536 * MIB;

/** The shortest context that Mai offers: the step down is then to another model, not to the same one with a shorter context. */
const CONTEXT_TOKENS = 4096;
/** Share of RAM above which memory is about to run out. */
const HARD_LIMIT_RATIO = 0.97;

/** A configuration that lists its models. */
export type DemoConfig = ModelConfigFile & {
  readonly models: NonNullable<ModelConfigFile['models']>;
};

/** Limits and times of the demo. */
export interface DemoPolicy {
  readonly config: DemoConfig;
  /** The use of RAM above which Mai steps down. */
  readonly limitBytes: number;
}

/** Settings of the demo's models, the same on every machine: on the CPU, because the demo fills RAM. */
export function demoModels(modelKeys: readonly string[]): DemoConfig {
  const [small, medium, large] = modelKeys;
  const model = (key = '', category: 'small' | 'medium' | 'large') => ({
    key,
    category,
    context_window: CONTEXT_TOKENS,
    capabilities: ['chat' as const],
    load: { gpu_offload: 'off' as const },
  });
  const models = [model(large, 'large'), model(medium, 'medium'), model(small, 'small')];
  return { version: 1, models, fallback_chains: { default: models.map(({ key }) => key) } };
}

/**
 * Whether the machine may have enough free memory for the demo. `loadBytes`: the least that the largest model takes. The
 * process that takes memory must fit below the hard limit together with the loaded models, because Mai unloads only afterwards.
 */
export function mayHaveRoom({ ram }: Resources, loadBytes: number): boolean {
  const { totalBytes, availableBytes } = ram;
  if (availableBytes === null) return false;
  const othersBytes = others(totalBytes, availableBytes, 0);
  const pool = { ...fixedPool('ram', totalBytes), othersBytes, hardLimitRatio: HARD_LIMIT_RATIO };
  return room(pool, HARD_LIMIT) >= loadBytes + SLACK_BYTES + MOST_TAKEN_BYTES;
}

/**
 * The demo's own policy. Its limit is a little above the present use and the largest model, and its times are short.
 * Null where the machine has too little free memory for that.
 */
export function demoPolicy(
  base: DemoConfig,
  models: readonly ModelReport[],
  resources: Resources,
): DemoPolicy | null {
  const { totalBytes, availableBytes } = resources.ram;
  const loadBytes = loadBytesOf(base.models[0]?.key, models, resources);
  if (availableBytes === null || loadBytes === null) return null;
  const othersBytes = others(totalBytes, availableBytes, 0);
  const limitBytes = othersBytes + loadBytes + SLACK_BYTES;
  if (!mayHaveRoom(resources, loadBytes)) return null;
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
        // The demo shows choices by memory. Its answers show how fast a model is, and a slow one is not passed over for that.
        min_tokens_per_second: 0,
        dwell: '1s',
        cool_down: '2s',
      },
    },
  };
}

/**
 * Bytes to take so that the use is above the limit with the largest model, and as far below the limit with the middle one.
 * 0 where other programs have taken enough already. Null where the size of the middle one is not known.
 *
 * @param useBytes - the use of RAM while the largest model is loaded
 */
export function bytesToTake(
  { limitBytes, config }: DemoPolicy,
  models: readonly ModelReport[],
  resources: Resources,
  useBytes: number,
): number | null {
  const largest = models.find(({ profile }) => profile.modelKey === config.models[0]?.key);
  const loadBytes = loadBytesOf(config.models[1]?.key, models, resources);
  if (largest?.footprint == null || loadBytes === null) return null;
  const differenceBytes = Math.max(0, totalBytesOf(largest.footprint) - loadBytes);
  const wantedBytes = Math.round(limitBytes - useBytes + differenceBytes / 2);
  return Math.min(MOST_TAKEN_BYTES, Math.max(0, wantedBytes));
}

/** The upper end of a model's memory, which a load is charged. */
function loadBytesOf(
  modelKey: string | undefined,
  models: readonly ModelReport[],
  resources: Resources,
): number | null {
  const footprint = models.find(({ profile }) => profile.modelKey === modelKey)?.footprint;
  if (footprint == null) return null;
  return chargeLoad(footprint, resources, DEFAULT_SELECTION_POLICY.growth).get('ram') ?? 0;
}
