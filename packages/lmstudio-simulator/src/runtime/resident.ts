import { residentUse } from '../loading/growth.js';
import type { MemoryGrowth, SavedPrompt } from '../loading/growth.js';
import type { ConfigField } from '../wire/frames.js';
import type { LoadSettings } from '../loading/load-settings.js';
import type { MemoryUse } from '../loading/memory.js';
import type { ModelDomain, ModelOnDevice } from './device.js';

/** The activity of an instance. */
export type InstanceStatus = 'idle' | 'processingPrompt' | 'generating' | 'computingEmbedding';

/** A loaded instance with its internal state. */
export interface ResidentState {
  readonly file: ModelOnDevice;
  readonly domain: ModelDomain;
  readonly identifier: string;
  readonly instanceReference: string;
  /** The process of the engine; `null`: the engine runs inside LM Studio. */
  readonly enginePid: number | null;
  /** Whether the instance reports the variant's key as its model key. */
  readonly reportsVariant: boolean;
  readonly ttlMs: number | null;
  readonly justInTime: boolean;
  readonly loadedAtMs: number;
  readonly settings: LoadSettings;
  readonly fields: readonly ConfigField[];
  /** The memory that the load took. */
  readonly use: MemoryUse;
  /** The growth since the load, in bytes. */
  growth: MemoryGrowth;
  /** The prompt cache of llama.cpp, the oldest first. */
  savedPrompts: readonly SavedPrompt[];
  lastUsedMs: number | null;
  /** The activity from predictions and embeddings of clients. */
  status: InstanceStatus;
  readonly jobs: Set<Job>;
  readonly queue: Job[];
  /** The activity that a test has set with `setBusy`. */
  scripted: { readonly status: InstanceStatus; readonly queued: number } | null;
  /** The exit code of the engine after a crash; `null`: the engine has not crashed. */
  crashExitCode: string | null;
  cancelScripted: () => void;
  cancelEviction: () => void;
}

/** A prediction or an embedding on an instance. */
export interface Job {
  start(): void;
  /** Ends the work, because the instance was unloaded. */
  abandon(): void;
}

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

export function activityOf(resident: ResidentState): { status: InstanceStatus; queued: number } {
  const status = resident.scripted?.status ?? resident.status;
  return { status, queued: resident.queue.length + (resident.scripted?.queued ?? 0) };
}

export function isBusy(resident: ResidentState): boolean {
  const { status, queued } = activityOf(resident);
  return status !== 'idle' || queued > 0;
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
