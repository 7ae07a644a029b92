export { FleetError, isFleetError } from './fleet-error.js';
export type { FleetErrorCode } from './fleet-error.js';
export type {
  Fit,
  GuestAllowance,
  HostModel,
  HostPool,
  HostResident,
  HostState,
  HostVersions,
} from './state/host-state.js';
export type { Heartbeat } from './state/heartbeat.js';
export type { KnownHost } from './state/known-host.js';
export { placeRequest } from './placement/place-request.js';
export { explainPlacement } from './placement/explain-placement.js';
export { DEFAULT_PLACEMENT_POLICY } from './placement/placement-input.js';
export type {
  AssumedFigures,
  FailedResident,
  PlacementInput,
  PlacementPolicy,
  PlacementRequest,
  RecentSend,
} from './placement/placement-input.js';
export type {
  AssumedFigure,
  HostNotTaken,
  NotTakenReason,
  Placement,
  PlacementAlternative,
  PlacementFigures,
  PlacementStep,
  RankingCriterion,
} from './placement/placement.js';
