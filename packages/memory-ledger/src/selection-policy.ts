/** Whether a resident that Mai did not load may be unloaded. */
export type ForeignPolicy =
  /** Never unload such a resident. */
  | 'observe'
  /** Unload such a resident only after it has been idle for `foreignIdleMs`. */
  | 'evict-idle'
  /** Unload such a resident whenever it is idle and its memory is needed. */
  | 'evict';

/** How much of a model's possible growth after its load is charged to the model. */
export type GrowthPolicy =
  /** All of the growth. */
  | 'charge'
  /** The share `GROWTH_RESERVE_RATIO`. */
  | 'reserve-share'
  /** No growth until it is observed. */
  | 'ignore';

/** How much speed counts beside quality. */
export type SelectionGoal =
  /** Only quality counts, above the slowest useful speed. */
  | 'quality'
  /** Speed counts until the model is as fast as the policy asks for. */
  | 'balanced'
  /** Speed counts as much as quality until the model is as fast as the policy asks for. */
  | 'speed';

/** The share of a model's growth that `reserve-share` charges, 0 to 1. */
export const GROWTH_RESERVE_RATIO = 0.25;

/** The limits and times of decisions. Ratios are shares of a pool's total, 0 to 1. */
export interface SelectionPolicy {
  /** The most of RAM, or of a unified pool, that may be in use. */
  readonly memoryLimitRatio: number;
  /** The most of each GPU's own memory that may be in use. */
  readonly vramLimitRatio: number;
  /** Limit of the CPU load of others, 0 to 1 over all cores. Above this limit, no larger model is loaded. */
  readonly cpuLimitRatio: number;
  /** Above this share of a pool, memory is about to run out. */
  readonly hardLimitRatio: number;
  /** The hard limit of a unified pool, whose GPU part cannot be swapped out. */
  readonly unifiedHardLimitRatio: number;
  /** Lower bound of the threshold for stepping up, however large the upgrade margin is. */
  readonly upgradeBelowRatioMin: number;
  /** Bytes that must stay free in every pool that a load is charged to. */
  readonly minHeadroomBytes: number;
  /** How long a switch must have been due before it is made. */
  readonly dwellMs: number;
  /** The quiet time after a switch. Only pressure relief breaks it. */
  readonly coolDownMs: number;
  readonly foreign: ForeignPolicy;
  readonly foreignIdleMs: number;
  /** How much of a model's possible growth is charged before the model has grown. */
  readonly growth: GrowthPolicy;
  readonly goal: SelectionGoal;
  /**
   * Generated tokens per second that a model should reach. The default is the speed of reading. 0: speed never
   * rules a model out.
   */
  readonly minTokensPerSecond: number;
}

/** The default policy. A field that the configuration file leaves out has this value. */
export const DEFAULT_SELECTION_POLICY: SelectionPolicy = {
  memoryLimitRatio: 0.8,
  vramLimitRatio: 0.9,
  cpuLimitRatio: 0.8,
  hardLimitRatio: 0.92,
  unifiedHardLimitRatio: 0.85,
  upgradeBelowRatioMin: 0.65,
  minHeadroomBytes: 1024 ** 3,
  dwellMs: 20_000,
  coolDownMs: 60_000,
  foreign: 'observe',
  foreignIdleMs: 600_000,
  growth: 'ignore',
  goal: 'balanced',
  minTokensPerSecond: 6,
};
