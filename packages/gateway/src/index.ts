export { createGateway, type Gateway, type GatewayPorts } from './create-gateway.js';
export type { GatewayOptions } from './gateway-options.js';
export type {
  CallOptions,
  ServingCatalog,
  ServingChange,
  ServingLease,
  ServingModel,
  ServingPlan,
  ServingPort,
  ServingRequest,
  ServingResident,
} from './ports/serving-port.js';
export type { Selection } from './ports/selection.js';
