import type { AutopilotEvent, AutopilotState, LeasePlan } from '@mai/autopilot';
import type { HandLoaded, HandUnloaded, JournalAnswer, LeaseFacts } from '../autopilot-service.js';
import { isRecord } from '../../guards.js';

/** The answer to `acquire`. */
export interface LeaseAnswer extends LeaseFacts {
  /** Number of the lease on this connection. */
  readonly lease: number;
}

/*
 * These guards check only the outer fields of an answer, because both sides speak the same version of the
 * protocol and belong to the same user. They do not check a decision inside an answer.
 */

export function isLeaseAnswer(value: unknown): value is LeaseAnswer {
  return (
    isRecord(value) &&
    typeof value['lease'] === 'number' &&
    typeof value['modelKey'] === 'string' &&
    typeof value['instanceIdentifier'] === 'string' &&
    typeof value['tier'] === 'string' &&
    Array.isArray(value['capabilities'])
  );
}

export function isLeasePlan(value: unknown): value is LeasePlan {
  return (
    isRecord(value) &&
    isRecord(value['selection']) &&
    (value['resident'] === null || isRecord(value['resident']))
  );
}

export function isJournalAnswer(value: unknown): value is JournalAnswer {
  return isRecord(value) && isRecord(value['journal']) && isDelivery(value['delivery']);
}

export function isHandLoaded(value: unknown): value is HandLoaded {
  return (
    isRecord(value) &&
    isRecord(value['instance']) &&
    Array.isArray(value['verified']) &&
    Array.isArray(value['failures']) &&
    isDelivery(value['delivery'])
  );
}

export function isHandUnloaded(value: unknown): value is HandUnloaded {
  return isRecord(value) && Array.isArray(value['unloaded']) && isDelivery(value['delivery']);
}

export function isAutopilotState(value: unknown): value is AutopilotState {
  return isRecord(value) && typeof value['status'] === 'string' && Array.isArray(value['pins']);
}

export function isAutopilotEvent(value: unknown): value is AutopilotEvent {
  return isRecord(value) && typeof value['type'] === 'string' && typeof value['atMs'] === 'number';
}

/** The parts that a load sends before its answer. */
export function isLoadProgress(
  value: unknown,
): value is { readonly index: number; readonly ratio: number } {
  return (
    isRecord(value) && typeof value['index'] === 'number' && typeof value['ratio'] === 'number'
  );
}

export function isAnything(_value: unknown): _value is unknown {
  return true;
}

function isDelivery(value: unknown): boolean {
  return value === null || (isRecord(value) && typeof value['kind'] === 'string');
}
