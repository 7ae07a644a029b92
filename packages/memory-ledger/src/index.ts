export {
  DEFAULT_LOAD_CONFIG,
  isQuantizedCacheType,
  isSameLoadConfig,
  KV_CACHE_TYPES,
  LOAD_CONFIG_FIELDS,
} from './load-config.js';
export type { KvCacheType, LoadConfig } from './load-config.js';
export { baseKeyOf, refersTo } from './model-key.js';
export type { ReportedKeys } from './model-key.js';
export { CAPABILITIES, TIERS } from './model-class.js';
export type { Capability, Tier } from './model-class.js';
export { totalBytesOf, withLockedWeights } from './footprint.js';
export { exceedsGpus, withinGpus } from './within-gpus.js';
export type {
  Confidence,
  Footprint,
  FootprintGrowth,
  FootprintInterval,
  FootprintSource,
} from './footprint.js';
export type { GpuResources, GpuVendor, Resources } from './resources.js';
export { DEFAULT_SELECTION_POLICY, GROWTH_RESERVE_RATIO } from './selection-policy.js';
export type {
  ForeignPolicy,
  GrowthPolicy,
  SelectionGoal,
  SelectionPolicy,
} from './selection-policy.js';
export {
  addCharges,
  charge,
  chargeLoad,
  countedAsUsed,
  marginOf,
  NO_CHARGE,
  subtractCharge,
} from './charge.js';
export type { Charge, ChargedFootprint, ChargedSize, Devices, PoolBytes } from './charge.js';
export { SPEED_DEPTH_TOKENS } from './load-speed.js';
export type { LoadSpeed, SpeedRange } from './load-speed.js';
export { valueOf } from './value.js';
export type { Valued } from './value.js';
export type { ModelShape } from './model-shape.js';
export { deviceKeyOf, isGpuShare } from './pool-name.js';
export type { PoolName } from './pool-name.js';
export { chargeResidents, usedBytes } from './residents.js';
export type { ChargedResident, ObservedResident, ResidentObservation } from './residents.js';
export { fixedPool, measurePools, others, ramLimits, useOf, vramLimits } from './pools.js';
export type { Pool, PoolLimits } from './pools.js';
export {
  allowedUse,
  CAPACITY,
  fits,
  HARD_LIMIT,
  isMeasured,
  isOverLimit,
  LIMIT,
  limitRatioOf,
  room,
  worstShortfall,
} from './room.js';
export type { FitOptions, Limit, Shortfall } from './room.js';
