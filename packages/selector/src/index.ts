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
  Plan,
  PlanStep,
  PoolOutcome,
  PoolShortfall,
  RejectedCandidate,
  Rejection,
  Selection,
  SelectionNote,
} from './selection.js';
export { selectModel } from './select-model.js';
