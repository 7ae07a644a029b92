import type { RuntimeInstance } from '@mai/autopilot';
import { DEFAULT_LOAD_CONFIG, totalBytesOf, type Footprint } from '@mai/memory-ledger';
import { configOfLoadOption } from './load-configs.js';
import type { SimulatedModel } from './simulated-model.js';

/** An instance on the simulated machine. */
export interface SimulatedInstance {
  readonly instanceIdentifier: string;
  /** `null` for a model that a person loaded by hand. */
  readonly model: SimulatedModel | null;
  readonly modelKey: string;
  readonly loadOptionIndex: number;
  readonly footprint: Footprint;
  /** `false` while it is being loaded. */
  readonly ready: boolean;
  /** Number of requests that the instance answers now. */
  requests: number;
  lastUsedAtMs: number | null;
  /** RAM that it has taken since its load. */
  grownBytes: number;
}

/** Cached descriptions, because they are read every second and seldom change. */
const described = new WeakMap<SimulatedInstance, RuntimeInstance>();

/** An instance as LM Studio reports it. */
export function describeInstance(
  instance: SimulatedInstance,
  hasDedicatedGpu: boolean,
): RuntimeInstance {
  const known = described.get(instance);
  const activity = instance.requests > 0 ? 'generating' : 'idle';
  if (known?.activity === activity && known.lastUsedAtMs === instance.lastUsedAtMs) return known;
  const description = { ...describe(instance, hasDedicatedGpu), activity } as const;
  described.set(instance, description);
  return description;
}

function describe(
  instance: SimulatedInstance,
  hasDedicatedGpu: boolean,
): Omit<RuntimeInstance, 'activity'> {
  const { instanceIdentifier, model, modelKey, footprint } = instance;
  const loadConfig =
    model === null
      ? DEFAULT_LOAD_CONFIG
      : configOfLoadOption(model, instance.loadOptionIndex, hasDedicatedGpu);
  return {
    instanceIdentifier,
    modelKey,
    variant: null,
    sizeBytes: totalBytesOf(footprint),
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

/** Negative where `one` is preferred to `other`: by the order of the chain, then by load option. */
export function comparePreference(
  models: readonly SimulatedModel[],
  one: SimulatedInstance,
  other: SimulatedInstance,
): number {
  const positionOf = ({ model }: SimulatedInstance): number =>
    models.findIndex((candidate) => candidate === model);
  return positionOf(one) - positionOf(other) || one.loadOptionIndex - other.loadOptionIndex;
}
