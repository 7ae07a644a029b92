export {
  type ClientSettingsErrorCode,
  ClientSettingsError,
  isClientSettingsError,
} from './client-settings-error.js';
export type { Client, ClientName, Machine, Setting, SettingsFile } from './clients/client.js';
export type { GatewayAccess } from './gateway-access.js';
export { CLIENTS, findClient } from './clients/clients.js';
export { type ConnectionPlan, planConnection, writeConnection } from './files/connection.js';
export type { ConnectionRecord, WrittenSetting } from './files/connection-record.js';
export { type ClientStatus, type ConnectionState, statusOf } from './files/client-status.js';
export { planUndo, type UndoPlan, writeUndo } from './files/undo.js';
export type { FormatName } from './formats/format.js';
export type { ListEntry, SettingPath, Value } from './formats/value.js';
export { type AccessOptions, gatewayAccess } from './read-gateway-access.js';
export type { AnswerCheck, ProbeRequest } from './probe/probe-request.js';
export {
  type ProbeOptions,
  type ProbeResult,
  type StartedRequest,
  testClient,
} from './run-probe.js';
export type { ServerEvent } from './probe/server-events.js';
export {
  describeClient,
  describeConnection,
  describeProbes,
  describeStatuses,
  describeUndo,
} from './report/describe.js';
