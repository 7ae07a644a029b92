import type { LoadConfig } from '@mai/memory-ledger';
import type { RuntimeInstance } from '../ports/runtime-port.js';

/** An old LM Studio does not report activity. Its instances count as busy this long after the last use. */
const HIDDEN_ACTIVITY_BUSY_MS = 30_000;

/** Whether requests run or wait on the instance, as the runtime reports. */
export function isBusy(instance: RuntimeInstance, nowMs: number): boolean {
  if ((instance.queued ?? 0) > 0) return true;
  if (instance.activity !== null) return instance.activity !== 'idle';
  return instance.lastUsedAtMs !== null && nowMs - instance.lastUsedAtMs < HIDDEN_ACTIVITY_BUSY_MS;
}

/** The load configuration of an instance, with the context length that the runtime reports for it. */
export function loadConfigOf({ loadConfig, contextLengthTokens }: RuntimeInstance): LoadConfig {
  return {
    ...loadConfig,
    contextLengthTokens: contextLengthTokens ?? loadConfig.contextLengthTokens,
  };
}
