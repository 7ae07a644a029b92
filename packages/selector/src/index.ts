export { NO_REQUIREMENT } from './input.js';
export type {
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
  TooSlow,
} from './selection.js';
export { optionWhenEmpty, orderByValue, type EmptyMachine } from './rank/order-by-value.js';
export { selectModel } from './select-model.js';
