import type { HostModel, HostResident } from '../../state/host-state.js';
import type { KnownHost } from '../../state/known-host.js';
import type { NotTakenReason } from '../placement.js';
import type { PlacementRequest } from '../placement-input.js';

/** Why a model does not meet a request, whether it is loaded or not; null where it does. */
export function checkModel(model: HostModel, request: PlacementRequest): NotTakenReason | null {
  const { modelKey, tier, capabilities } = model;
  if (request.tiers !== null && !request.tiers.includes(tier)) {
    return { code: 'TIER_DIFFERS', modelKey, tier };
  }
  for (const capability of request.capabilities) {
    if (!capabilities.includes(capability)) {
      return { code: 'CAPABILITY_MISSING', modelKey, capability };
    }
  }
  return null;
}

/**
 * Why a resident does not serve a request; null where it does. A resident that Mai did not load serves only requests
 * that name a model or a resident, except on a device of LM Link, where Mai loads nothing.
 */
export function checkResident(
  { modelKey }: HostModel,
  { instanceIdentifier, contextLengthTokens, foreign }: HostResident,
  { state, kind }: KnownHost,
  request: PlacementRequest,
): NotTakenReason | null {
  if (request.instanceIdentifier !== null && request.instanceIdentifier !== instanceIdentifier) {
    return { code: 'INSTANCE_MISSING', modelKey };
  }
  if (foreign && kind === 'mai' && request.chain !== null) {
    return { code: 'NOT_RESIDENT', modelKey };
  }
  for (const failed of request.failed) {
    if (failed.host === state.host && failed.instanceIdentifier === instanceIdentifier) {
      return { code: 'RESIDENT_FAILED', modelKey, instanceIdentifier };
    }
  }
  return contextReason(modelKey, contextLengthTokens, request);
}

/** Why a host cannot load a model for a request; null where it can, or may be able to. */
export function checkLoad(
  model: HostModel,
  { state, heartbeat, kind }: KnownHost,
  request: PlacementRequest,
  isOwn: boolean,
): NotTakenReason | null {
  const { modelKey, sizeBytes, fit, contextLengthTokens, maxContextLengthTokens } = model;
  if (request.instanceIdentifier !== null) return { code: 'INSTANCE_MISSING', modelKey };
  if (kind === 'lm-link') return { code: 'NOT_RESIDENT', modelKey };
  // A host may load with a longer context than it is configured to.
  const context = contextReason(modelKey, maxContextLengthTokens ?? contextLengthTokens, request);
  if (context !== null) return context;
  if (fit === 'no') return { code: 'DOES_NOT_FIT', modelKey, sizeBytes };
  if (isOwn) return null;
  const pressureRatio = heartbeat?.pressureRatio ?? null;
  if (pressureRatio !== null && pressureRatio >= 1) {
    return { code: 'MEMORY_PRESSURE', modelKey, pressureRatio };
  }
  if (state.guests === null) return { code: 'GUESTS_MAY_NOT_LOAD', modelKey };
  if (sizeBytes !== null) {
    let limitBytes = 0;
    for (const pool of state.pools) limitBytes += pool.limitBytes;
    const allowedBytes = limitBytes * state.guests.memoryRatio;
    if (sizeBytes > allowedBytes) {
      return { code: 'GUEST_SHARE_EXCEEDED', modelKey, sizeBytes, allowedBytes };
    }
  }
  return null;
}

function contextReason(
  modelKey: string,
  contextLengthTokens: number | null,
  { minContextLengthTokens: wantedTokens }: PlacementRequest,
): NotTakenReason | null {
  if (wantedTokens === null) return null;
  if (contextLengthTokens !== null && contextLengthTokens >= wantedTokens) return null;
  return { code: 'CONTEXT_TOO_SHORT', modelKey, contextLengthTokens, wantedTokens };
}
