import type { MemoryGrowth, SavedPrompt } from '../memory/memory-growth.js';
import type { ConfigField } from '../wire/frames.js';
import type { LoadSettings } from '../memory/load-settings.js';
import type { MemoryUse } from '../memory/memory.js';
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

export function activityOf(resident: ResidentState): { status: InstanceStatus; queued: number } {
  const status = resident.scripted?.status ?? resident.status;
  return { status, queued: resident.queue.length + (resident.scripted?.queued ?? 0) };
}

export function isBusy(resident: ResidentState): boolean {
  const { status, queued } = activityOf(resident);
  return status !== 'idle' || queued > 0;
}
