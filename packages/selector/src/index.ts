export type {
  Candidate,
  Footprint,
  GpuResources,
  KvCacheType,
  LoadConfig,
  LoadOption,
  Requirement,
  Resident,
  Resources,
  SelectionInput,
  SelectionPolicy,
  Tier,
} from './input.js';
export type {
  Chosen,
  Plan,
  PlanStep,
  PoolName,
  PoolOutcome,
  RejectedCandidate,
  Rejection,
  Selection,
  SelectionNote,
  Shortfall,
} from './selection.js';
export { selectModel } from './select-model.js';
export type {
  HysteresisEvent,
  HysteresisState,
  Verdict,
  VerdictReason,
} from './hysteresis/hysteresis-state.js';
export type { UseBucket, UseHistory } from './hysteresis/restlessness.js';
export { initialHysteresis, reduceHysteresis } from './hysteresis/reduce-hysteresis.js';
