import { residentUse } from './growth.js';
import type { MemoryGrowth } from '../memory/memory-growth.js';
import type { MemoryUse } from '../memory/memory.js';
import { activityOf, type InstanceStatus, type ResidentState } from './resident.js';

/** A loaded instance as `residents()` shows it. */
export interface SimulatedResident {
  /** Names this loaded copy. */
  readonly instanceIdentifier: string;
  /** Names the model on disk. */
  readonly modelKey: string;
  /** The namespace of the model. */
  readonly kind: 'llm' | 'embedding';
  /** The LM Link device of the instance; `null`: the simulated machine. */
  readonly deviceIdentifier: string | null;
  /** Tokens of context that the instance was loaded with. */
  readonly contextLengthTokens: number;
  /** Idle time after which the instance is unloaded; `null`: never. */
  readonly ttlMs: number | null;
  /** Milliseconds since the epoch; `null`: not used yet. */
  readonly lastUsedAtMs: number | null;
  /** Whether the instance was loaded just in time (`getOrLoad`). */
  readonly justInTime: boolean;
  /** The current activity. */
  readonly activity: InstanceStatus;
  /** The number of requests that wait. */
  readonly queued: number;
  /** The memory that the instance takes, including its growth. */
  readonly memory: MemoryUse;
  /** The growth of the instance since its load. */
  readonly growth: MemoryGrowth;
  /** The process id of its engine in the engine's log; `null`: the engine runs inside LM Studio. */
  readonly enginePid: number | null;
}

export function describeResident(resident: ResidentState): SimulatedResident {
  const { status, queued } = activityOf(resident);
  return {
    instanceIdentifier: resident.identifier,
    modelKey: resident.file.modelKey,
    kind: resident.domain,
    deviceIdentifier: resident.file.device.identifier,
    contextLengthTokens: resident.settings.contextLengthTokens,
    ttlMs: resident.ttlMs,
    lastUsedAtMs: resident.lastUsedMs,
    justInTime: resident.justInTime,
    activity: status,
    queued,
    memory: residentUse(resident),
    growth: resident.growth,
    enginePid: resident.enginePid,
  };
}
