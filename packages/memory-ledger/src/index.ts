export {
  DEFAULT_LOAD_CONFIG,
  isQuantizedCacheType,
  isSameLoadConfig,
  KV_CACHE_TYPES,
  LOAD_CONFIG_FIELDS,
} from './models/load-config.js';
export type { KvCacheType, LoadConfig } from './models/load-config.js';
export { baseKeyOf, refersTo } from './models/model-key.js';
export type { ReportedKeys } from './models/model-key.js';
export { templateHasTools, templateThinks } from './models/chat-template.js';
export { CAPABILITIES, statedCapabilities, TIERS } from './models/model-class.js';
export type { Capability, StatedCapability, StatedTasks, Tier } from './models/model-class.js';
export { totalBytesOf, withLockedWeights } from './memory/footprint.js';
export { withinGpus } from './memory/within-gpus.js';
export type {
  Confidence,
  Footprint,
  FootprintGrowth,
  FootprintInterval,
  FootprintSource,
} from './memory/footprint.js';
export type { GpuResources, GpuVendor, Resources } from './memory/resources.js';
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
} from './memory/charge.js';
export type { Charge, ChargedFootprint, ChargedSize, Devices, PoolBytes } from './memory/charge.js';
export { SPEED_DEPTH_TOKENS } from './models/load-speed.js';
export type { LoadSpeed, SpeedRange } from './models/load-speed.js';
export { isName, NAME_MAX_LENGTH, ONE_LINE, oneLine } from './one-line.js';
export { checkRange } from './check-range.js';
export { isTooSlow, valueOf } from './value.js';
export type { Valued } from './value.js';
export type { ModelShape } from './models/model-shape.js';
export {
  deviceKeyOf,
  hasOwnMemory,
  isGpuShare,
  poolOfGpu,
  unmeasuredPools,
} from './memory/pool-name.js';
export type { PoolName } from './memory/pool-name.js';
export { chargeResidents, usedBytes } from './memory/residents.js';
export type { ChargedResident, ObservedResident, ResidentObservation } from './memory/residents.js';
export { fixedPool, measurePools, others, ramLimits, useOf, vramLimits } from './memory/pools.js';
export type { Pool, PoolLimits } from './memory/pools.js';
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
} from './memory/room.js';
export type { FitOptions, Limit, Shortfall } from './memory/room.js';
