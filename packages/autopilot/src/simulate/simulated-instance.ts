import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { TraceEvent } from './trace.js';
import type { Demand } from './pools.js';
import { configOfRung, type SimulatedModel } from './simulated-model.js';

/** An instance on the simulated machine. */
export interface SimulatedInstance {
  readonly instanceIdentifier: string;
  /** Null for what somebody else has loaded. */
  readonly model: SimulatedModel | null;
  readonly modelKey: string;
  readonly rungIndex: number;
  readonly demand: Demand;
  readonly ready: boolean;
  requests: number;
  lastUsedAtMs: number | null;
}

const UNKNOWN_CONFIG = {
  contextLengthTokens: null,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};

/** As LM Studio reports it. */
export function describeInstance(instance: SimulatedInstance, hasGpu: boolean): RuntimeInstance {
  const { instanceIdentifier, model, modelKey, requests } = instance;
  const base = model?.profile.loadConfig ?? UNKNOWN_CONFIG;
  const loadConfig = model === null ? base : configOfRung(model, instance.rungIndex, hasGpu);
  return {
    instanceIdentifier,
    modelKey,
    sizeBytes: instance.demand.reduce((sum, bytes) => sum + bytes, 0),
    contextLengthTokens: loadConfig.contextLengthTokens,
    maxContextLengthTokens: model?.profile.maxContextLengthTokens ?? null,
    ttlMs: null,
    lastUsedAtMs: instance.lastUsedAtMs,
    deviceIdentifier: null,
    activity: requests > 0 ? 'generating' : 'idle',
    queued: 0,
    loadConfig,
    keepModelInMemory: null,
  };
}

/** What somebody else has loaded takes: RAM, and the memory of the first GPU or the one that is named. */
export function foreignDemand(event: Extract<TraceEvent, { type: 'foreignLoad' }>): Demand {
  return [event.ramBytes, ...new Array<number>(event.gpu ?? 0).fill(0), event.vramBytes];
}
