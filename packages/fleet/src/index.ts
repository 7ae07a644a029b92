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
export { systemClock } from './clock.js';
export type { Clock } from './clock.js';
export { askLeases } from './leases/ask-leases.js';
export type { AskLeasesOptions } from './leases/ask-leases.js';
export type {
  FencingToken,
  GrantedLease,
  GrantedResident,
  HeldLease,
  LeaseAnswer,
  LeaseAsker,
  LeasedResident,
  LeaseGrantPort,
  LeaseRefusal,
  LeaseRequest,
  LeaseServer,
} from './leases/lease-types.js';
export { serveLeases } from './leases/serve-leases.js';
export type { ServeLeasesOptions } from './leases/serve-leases.js';
export { drawEpoch, openMembers } from './membership/members.js';
export type { Members, MembersOptions, OwnLoad, OwnState } from './membership/members.js';
export { connectFleet } from './nats/connection.js';
export type { ConnectFleetOptions, FleetConnection } from './nats/connection.js';
export type {
  BucketEntry,
  BucketOptions,
  BucketProgress,
  NatsBucket,
  NatsMessage,
} from './nats/nats-door.js';
export type { FleetCredentials } from './nats/credentials.js';
export { isHostName } from './nats/subjects.js';
export { initFleet } from './pairing/init-fleet.js';
export type { InitFleetOptions, InitializedFleet } from './pairing/init-fleet.js';
export { invite } from './pairing/invitation/invite.js';
export type { InviteOptions, OpenedInvitation } from './pairing/invitation/invite.js';
export type { InvitationEnd } from './pairing/invitation/open-invitation.js';
export { join } from './pairing/invitation/join.js';
export type { JoinOptions, JoinedFleet } from './pairing/invitation/join.js';
export type { StartedServer } from './pairing/hosts/start-server.js';
export { readFleetIdentity } from './pairing/identity.js';
export type { FleetIdentity } from './pairing/identity.js';
export type { Membership, OwnServer } from './pairing/files/fleet-folder.js';
export {
  peerConnectOptions,
  peerHost,
  peerListenOptions,
} from './pairing/certificates/peer-tls.js';
export type {
  PeerConnectOptions,
  PeerIdentity,
  PeerListenOptions,
} from './pairing/certificates/peer-tls.js';
export type { AllowList, AllowedHost, AllowedServer } from './pairing/certificates/allow-list.js';
export { toHostName } from './pairing/names.js';
export { endNatsServer, ensureNatsServer } from './pairing/hosts/ensure-nats-server.js';
export { followFleet } from './pairing/hosts/follow-fleet.js';
export type { FollowFleetOptions, FollowedFleet } from './pairing/hosts/follow-fleet.js';
export { leaveFleet } from './pairing/hosts/leave-fleet.js';
export type { LeaveFleetOptions, LeaveOutcome } from './pairing/hosts/leave-fleet.js';
export { removeHost } from './pairing/hosts/remove-host.js';
export { isRotationDue, rotateKeys } from './pairing/hosts/rotate-keys.js';
export type { RotateKeysOptions } from './pairing/hosts/rotate-keys.js';
export { serveAuthority } from './pairing/hosts/serve-authority.js';
export { tellAllowList } from './pairing/hosts/tell-allow-list.js';
export type { ToldAllowList } from './pairing/hosts/tell-allow-list.js';
export type { ServeAuthorityOptions } from './pairing/hosts/serve-authority.js';
export { createFleet, placementLogOf } from './create-fleet.js';
export type { CreateFleetOptions, Fleet } from './create-fleet.js';
export type { FleetView } from './fleet-view.js';
export type { GatewayLoad } from './own-load.js';
export type { FleetRules, LinkDevice, OwnFacts, OwnFactsPort } from './own-facts.js';
export { readPlacements } from './journal/placement-log.js';
export { explainPlaced } from './journal/explain-placed.js';
export type { PlacedRequest, PlacementAttempt } from './journal/placed-request.js';
export type {
  CallOptions,
  PeerTls,
  ServingCatalog,
  ServingChange,
  ServingLease,
  ServingModel,
  ServingPeer,
  ServingPlan,
  ServingPort,
  ServingRequest,
} from './serving/serving-port.js';
export { describeHosts } from './text/describe-hosts.js';
export type { HostCondition, HostRow } from './text/describe-hosts.js';
export type {
  ExplainedSentence,
  FleetReport,
  HostReport,
  PlacementReport,
} from './text/report-fleet.js';
export {
  ownAddress,
  spreadAllowList,
  watchFleet,
  withFleetConnection,
} from './manage/inspect-fleet.js';
export { runFleetCommand } from './manage/fleet-commands.js';
export type {
  FleetCommandName,
  FleetCommandOptions,
  FleetResult,
} from './manage/fleet-commands.js';
export { checkFleet } from './manage/check-fleet.js';
export type { FleetCheck } from './manage/check-fleet.js';
