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
