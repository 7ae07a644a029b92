import type { ConfigField, LoadSettings } from './load-settings.js';
import type { MemoryUse } from './memory.js';
import type { ModelOnDevice } from './device.js';

/** What an instance is doing. */
export type InstanceStatus = 'idle' | 'processingPrompt' | 'generating' | 'computingEmbedding';

/** A loaded instance, as the back end keeps it. */
export interface ResidentState {
  readonly file: ModelOnDevice;
  readonly identifier: string;
  readonly instanceReference: string;
  readonly ttlMs: number | null;
  readonly justInTime: boolean;
  readonly loadedAtMs: number;
  readonly settings: LoadSettings;
  readonly fields: readonly ConfigField[];
  readonly use: MemoryUse;
  lastUsedMs: number | null;
  /** Work that the simulator really does. */
  status: InstanceStatus;
  readonly jobs: Set<Job>;
  readonly queue: Job[];
  /** Work that a test has scripted. */
  scripted: { readonly status: InstanceStatus; readonly queued: number } | null;
  cancelScripted: () => void;
  cancelEviction: () => void;
}

/** A prediction or an embedding on an instance. */
export interface Job {
  start(): void;
  /** The instance has gone. */
  abandon(): void;
}

/** A loaded instance, as a test sees it. */
export interface SimulatedResident {
  /** Names this copy. */
  readonly instanceIdentifier: string;
  /** Names the model. */
  readonly modelKey: string;
  /** Its domain. */
  readonly kind: 'llm' | 'embedding';
  /** Null: the simulated machine itself. */
  readonly deviceIdentifier: string | null;
  /** What it really got. */
  readonly contextLengthTokens: number;
  /** Null: it stays. */
  readonly ttlMs: number | null;
  /** Null: not since it was loaded. */
  readonly lastUsedAtMs: number | null;
  /** Whether `getOrLoad` brought it. */
  readonly justInTime: boolean;
  /** What it is doing. */
  readonly activity: InstanceStatus;
  /** Requests that wait. */
  readonly queued: number;
  /** What it takes. */
  readonly memory: MemoryUse;
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
    kind: resident.file.model.type,
    deviceIdentifier: resident.file.device.identifier,
    contextLengthTokens: resident.settings.contextLengthTokens,
    ttlMs: resident.ttlMs,
    lastUsedAtMs: resident.lastUsedMs,
    justInTime: resident.justInTime,
    activity: status,
    queued,
    memory: resident.use,
  };
}
