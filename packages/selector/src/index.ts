export { NO_REQUIREMENT } from './input.js';
export type {
  CallersWait,
  Candidate,
  EngineRefusal,
  LoadOption,
  Requirement,
  Resident,
  SelectionInput,
} from './input.js';
export type {
  Chosen,
  OptionCost,
  Plan,
  PlanStep,
  PoolOutcome,
  PoolShortfall,
  RejectedCandidate,
  Rejection,
  Selection,
  SelectionNote,
  SlowChoice,
  TooSlow,
  ValueComparison,
  WeighedModel,
  WeighedWait,
} from './selection.js';
export { serviceOf, type Service } from './offer/serves.js';
export { bytesToMs, loadTimeMs } from './plan/load-time.js';
export { optionWhenEmpty, orderByValue, type EmptyMachine } from './rank/order-by-value.js';
export { selectModel } from './select-model.js';
