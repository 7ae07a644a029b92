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
export { explainPlacement } from './placement/explain/explain-placement.js';
export { DEFAULT_PLACEMENT_POLICY } from './placement/placement-input.js';
export type {
  AssumedFigures,
  FailedResident,
  PlacementInput,
  PlacementPolicy,
  PlacementRequest,
  RecentSend,
  SeenTime,
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
export type { FencingToken, GrantedLease, LeasedResident } from './leases/lease-types.js';
export { openMembers } from './membership/members.js';
export type { Members, MembersOptions, OwnLoad, OwnState } from './membership/members.js';
export { connectFleet } from './nats/connection.js';
export type { ConnectFleetOptions, FleetConnection, FleetServers } from './nats/connection.js';
export type {
  BucketEntry,
  BucketOptions,
  BucketProgress,
  NatsBucket,
  NatsMessage,
} from './nats/nats-door.js';
export type { FleetCredentials } from './nats/credentials.js';
export { initFleet } from './pairing/init-fleet.js';
export type { InitFleetOptions, InitializedFleet } from './pairing/init-fleet.js';
export { invite } from './pairing/invitation/invite.js';
export type { InviteOptions, OpenedInvitation } from './pairing/invitation/invite.js';
export type { InvitationEnd } from './pairing/invitation/open-invitation.js';
export { join } from './pairing/invitation/join.js';
export type { JoinOptions, JoinedFleet } from './pairing/invitation/join.js';
export type { StartedServer } from './pairing/nats-server/start-server.js';
export { anyAddress } from './pairing/names.js';
export { readFleetIdentity } from './pairing/identity.js';
export type { FleetIdentity } from './pairing/identity.js';
export type { Membership, OwnServer } from './pairing/files/fleet-folder.js';
export type { AllowList, AllowedHost, AllowedServer } from './pairing/allow-list.js';
export { endNatsServer, ensureNatsServer } from './pairing/nats-server/ensure-nats-server.js';
export { keepNatsServer } from './pairing/nats-server/keep-nats-server.js';
export type { KeepNatsServerOptions } from './pairing/nats-server/keep-nats-server.js';
export { createFleet } from './create-fleet.js';
export type { CreateFleetOptions, Fleet } from './fleet.js';
export type { FleetView } from './fleet-view.js';
export type { GatewayLoad } from './own/own-load.js';
export type { FleetRules, LinkDevice, OwnFacts, OwnFactsPort } from './own/own-facts.js';
export type {
  CallOptions,
  PeerOutcome,
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
export { describeConnection, describeHosts } from './text/describe-hosts.js';
export type { HostCondition, HostRow } from './text/describe-hosts.js';
export type { ExplainedSentence } from './placement/explain/explained-sentence.js';
export type { FleetReport, HostReport, PlacementReport } from './text/report-fleet.js';
export { watchFleet, type WatchFleetOptions } from './manage/inspect-fleet.js';
export { runFleetCommand } from './manage/fleet-commands.js';
export type {
  FleetCommandName,
  FleetCommandOptions,
  FleetResult,
} from './manage/fleet-commands.js';
export { checkFleet } from './manage/check-fleet.js';
export type { FleetCheck } from './manage/check-fleet.js';
