import type { LoadConfig } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { loadCandidate, type LoadContext, type LoadOutcome } from './load-candidate.js';

const NOTHING_REQUIRED = { capabilities: [], minContextLengthTokens: null, tiers: null };

/**
 * Whether an instance that was unloaded can come back without anything else going: it was there
 * before, so only the hard limit is asked for.
 */
export async function fitsBack(
  ports: AutopilotPorts,
  input: AssembledInput,
  decide: (input: SelectionInput) => Selection,
  instance: RuntimeInstance,
  signal: AbortSignal | null,
): Promise<boolean> {
  const { policy, resources } = input;
  const loadConfig = configOf(instance);
  const estimate = await ports.estimator.estimate(
    {
      modelKey: instance.modelKey,
      loadConfig,
      resources,
      deviceIdentifier: instance.deviceIdentifier,
    },
    callOptions(signal, null),
  );
  const { decision } = decide({
    candidates: [
      {
        modelKey: instance.modelKey,
        displayName: instance.modelKey,
        tier: 'small',
        capabilities: [],
        downloaded: true,
        maxContextLengthTokens: instance.maxContextLengthTokens,
        loadOptions: [{ loadConfig, footprint: estimate.footprint, guardrails: null }],
        coolingDownUntilMs: null,
      },
    ],
    requirement: NOTHING_REQUIRED,
    resources,
    residents: input.residents.map((resident) => ({ ...resident, pinned: true })),
    policy: {
      ...policy,
      memoryLimitRatio: resources.unified ? policy.unifiedHardLimitRatio : policy.hardLimitRatio,
      vramLimitRatio: policy.hardLimitRatio,
      minHeadroomBytes: 0,
    },
  });
  return decision === 'load';
}

/** What a decision after a failure has itself brought back has been rolled back, too. */
export function sortOutReturned(
  loaded: readonly RuntimeInstance[],
  unloaded: readonly RuntimeInstance[],
): Record<'back' | 'loaded' | 'unloaded', RuntimeInstance[]> {
  const gone = new Set(unloaded.map((one) => one.modelKey));
  const back = loaded.filter((one) => gone.has(one.modelKey));
  const returned = new Set(back.map((one) => one.modelKey));
  return {
    back,
    loaded: loaded.filter((one) => !back.includes(one)),
    unloaded: unloaded.filter((one) => !returned.has(one.modelKey)),
  };
}

/** Loads an instance again as it was, under its old name where that is free. */
export function rollBack(
  ports: AutopilotPorts,
  instance: RuntimeInstance,
  context: LoadContext,
): Promise<LoadOutcome> {
  context.emit({
    type: 'rolling-back',
    modelKey: instance.modelKey,
    instanceIdentifier: instance.instanceIdentifier,
  });
  return loadCandidate(ports, {
    ...context,
    requirement: NOTHING_REQUIRED,
    modelKey: instance.modelKey,
    loadConfig: configOf(instance),
    ttlMs: instance.ttlMs,
    identifier: instance.instanceIdentifier,
  });
}

function configOf(instance: RuntimeInstance): LoadConfig {
  return {
    ...instance.loadConfig,
    contextLengthTokens: instance.contextLengthTokens ?? instance.loadConfig.contextLengthTokens,
  };
}
