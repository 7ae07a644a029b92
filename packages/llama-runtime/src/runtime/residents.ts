import { isGone } from '../process/end-foreign.js';
import { readState } from '../process/engine-http.js';
import type { EngineRecord } from '../process/registry.js';
import { ENGINE_DEFAULTS } from './engine-defaults.js';
import type { InstanceSettings, ResidentInstance } from './resident-types.js';

/** Deadline for an engine's state. An engine that is busy in native code answers late. */
const STATE_DEADLINE_MS = 500;

const SETTINGS: InstanceSettings = {
  kvUnified: ENGINE_DEFAULTS.kvUnified,
  batchTokens: ENGINE_DEFAULTS.batchTokens,
  ubatchTokens: ENGINE_DEFAULTS.ubatchTokens,
  contextCheckpoints: null,
  draftTokens: 0,
  draftMethods: [],
  draftModelKey: null,
  autoFit: false,
  autoFitMinContextTokens: null,
  offloadKvCacheToGpu: true,
  tryMmap: true,
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
    if (isOther || (await isGone(record))) return null;
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
    keepModelInMemory: spec.locksWeights,
    settings: SETTINGS,
  };
}
