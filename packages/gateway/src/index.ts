export {
  addKey,
  readKeyFile,
  removeKey,
  type KeyFile,
  type NewKey,
} from './access/keys/key-file.js';
export type { StoredKey } from './access/keys/api-key.js';
export { openKeyStore, type KeyStore } from './access/keys/key-store.js';
export { SCOPES, type Scope } from './access/keys/scope.js';
export { createGateway, type Gateway, type GatewayPorts } from './create-gateway.js';
export type { GatewayOptions } from './gateway-options.js';
export type {
  CallOptions,
  MeasuredAnswer,
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
  ServingResident,
} from './ports/serving-port.js';
export type { Selection } from './ports/selection.js';
export { GatewayError, isGatewayError, type GatewayErrorCode } from './gateway-error.js';
export type {
  AutopilotFacts,
  ChangeOptions,
  ControlPort,
  ControlWords,
  JournalFacts,
  LoadAnswer,
  LoadedInstance,
  LoadRequest,
  MachineModel,
  MachineModels,
  MachineResident,
  MachineStatus,
  SelectionAnswer,
  YieldEffect,
} from './ports/control-port.js';
export type {
  CheaperLoad,
  EstimateAnswer,
  EstimateFigures,
  EstimateParts,
  EstimateRequest,
} from './ports/control-estimates.js';
export type {
  DecisionEpisode,
  MachineEvent,
  MachineSelection,
  MemoryYield,
  ObservedModel,
  Pin,
  PoolOutcome,
  Rejection,
  SwitchStep,
  TradeOff,
} from './ports/control-facts.js';
export type {
  FleetHost,
  FleetModel,
  FleetPlacement,
  FleetPort,
  FleetReport,
} from './ports/fleet-port.js';
export { systemClock, type Clock } from './ports/clock.js';
export type { SchedulerLimits } from './queue/limits.js';
export type { SchedulerState } from './queue/scheduler.js';
export type { InferenceLimits } from './server/inference/inference-parts.js';
export type { Listening, ListenOptions, TlsFiles } from './server/listen.js';
export type { PeerRules } from './access/peer-access.js';
