import type { RuntimeInstance } from '@mai/autopilot';
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

/** Asked for every second, and the same until it is used. */
const described = new WeakMap<SimulatedInstance, RuntimeInstance>();

/** As LM Studio reports it. */
export function describeInstance(instance: SimulatedInstance, hasGpu: boolean): RuntimeInstance {
  const known = described.get(instance);
  const activity = instance.requests > 0 ? 'generating' : 'idle';
  if (known?.activity === activity && known.lastUsedAtMs === instance.lastUsedAtMs) return known;
  const description = { ...describe(instance, hasGpu), activity } as const;
  described.set(instance, description);
  return description;
}

function describe(instance: SimulatedInstance, hasGpu: boolean): Omit<RuntimeInstance, 'activity'> {
  const { instanceIdentifier, model, modelKey } = instance;
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
    queued: 0,
    loadConfig,
    keepModelInMemory: null,
  };
}

/** What somebody else has loaded takes: RAM, and the memory of the first GPU or the one that is named. */
export function foreignDemand(event: Extract<TraceEvent, { type: 'foreignLoad' }>): Demand {
  return [event.ramBytes, ...new Array<number>(event.gpu ?? 0).fill(0), event.vramBytes];
}
