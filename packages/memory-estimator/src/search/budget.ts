import {
  charge,
  DEFAULT_SELECTION_POLICY,
  fits,
  type Charge,
  type ChargedSize,
  type Devices,
  type Footprint,
  type GrowthPolicy,
  type Limit,
  type Pool,
} from '@mai/memory-ledger';

/** The memory that a model must fit into. */
export interface MemoryBudget {
  /**
   * Pools from `measurePools`, or from `fixedPool` for a number of bytes. A pool that is left out sets no bound.
   */
  readonly pools: readonly Pool[];
  /** The machine's GPUs. The bytes of a GPU that is not listed are charged to RAM. */
  readonly devices: Devices;
  /** The limit that the use of each pool is compared with. */
  readonly limit: Limit;
  /** The size that is charged: `upper-end` for a decision to load, `expected` for the expected size. */
  readonly size: ChargedSize;
  /** How much of the model's growth is charged. Default: that of `DEFAULT_SELECTION_POLICY`. */
  readonly growth?: GrowthPolicy;
  /** The charge of the models that are unloaded before the load. Default: nothing. */
  readonly freed?: Charge;
}

/** Whether a footprint fits a budget. */
export function fitsBudget(footprint: Footprint, budget: MemoryBudget): boolean {
  const { pools, devices, size, growth = DEFAULT_SELECTION_POLICY.growth } = budget;
  return fits(pools, charge(footprint, devices, size, growth).charge, budget);
}
