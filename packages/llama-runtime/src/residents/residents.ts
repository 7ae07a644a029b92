import { contextOptionsOf } from '../engine/context-options.js';
import { goneWithin } from '../process/end-foreign.js';
import { readState } from '../process/engine-http.js';
import type { EngineRecord } from './registry.js';

import type { InstanceSettings, ResidentInstance } from './resident-types.js';

/** Deadline for an engine's state. An engine that is busy in native code answers late. */
const STATE_DEADLINE_MS = 500;
/** An engine listens until it ends. A killed one that refuses connections may need this long until its process is gone. */
const ENDING_MS = 2000;

/** The settings that are the same for every engine. */
const SETTINGS: Omit<InstanceSettings, 'kvUnified' | 'batchTokens' | 'ubatchTokens' | 'tryMmap'> = {
  contextCheckpoints: null,
  draftTokens: 0,
  draftMethods: [],
  draftModelKey: null,
  autoFit: false,
  autoFitMinContextTokens: null,
  offloadKvCacheToGpu: true,
  tryDirectIo: false,
  numExperts: null,
  gpuSplit: null,
  gpuStrictVramCap: null,
  mlxDiskCache: null,
  mlxKvCache: null,
};

/**
 * Asks an engine for its activity, and describes the resident; `null`: the engine is gone. An engine that does not
 * answer in time counts as busy.
 */
export async function observe(
  record: EngineRecord,
  signal?: AbortSignal,
): Promise<ResidentInstance | null> {
  const answer = await readState(record.endpoint, STATE_DEADLINE_MS, signal);
  const hasAnswered = typeof answer === 'object' && answer.pid === record.pid;
  if (!hasAnswered) {
    // Where the start time is not known, the number may belong to another process by now.
    const isOther = record.startTime === null && answer !== 'blocked';
    if (isOther || (await goneWithin(record, answer === 'gone' ? ENDING_MS : 0))) return null;
  }
  const { spec, model, loadConfig, facts, ttlMs, reference } = record;
  return {
    instanceIdentifier: spec.instanceIdentifier,
    reference,
    modelKey: spec.modelKey,
    variant: null,
    kind: spec.kind,
    displayName: model.displayName,
    path: model.path,
    sizeBytes: model.sizeBytes,
    contextLengthTokens: facts.contextLengthTokens,
    maxContextLengthTokens: model.maxContextLengthTokens,
    ttlMs,
    lastUsedAtMs: hasAnswered ? answer.lastUsedAtMs : null,
    deviceIdentifier: null,
    activity: hasAnswered ? answer.activity : 'processing-prompt',
    queued: hasAnswered ? answer.queued : 1,
    loadConfig,
    keepModelInMemory: record.keepModelInMemory,
    settings: settingsOf(record),
  };
}

function settingsOf({ spec, endpoint }: EngineRecord): InstanceSettings {
  const options = contextOptionsOf({ ...spec, token: endpoint.token });
  return {
    ...SETTINGS,
    kvUnified: options.kv_unified,
    batchTokens: options.n_batch,
    ubatchTokens: options.n_ubatch,
    tryMmap: options.use_mmap,
  };
}
