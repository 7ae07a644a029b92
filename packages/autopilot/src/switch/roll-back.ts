import { chargeLoad, fits, HARD_LIMIT, type Footprint } from '@mai/memory-ledger';
import { loadConfigOf } from '../instances/instance-state.js';
import type { AssembledInput } from '../assemble/join-footprints.js';
import { NO_REQUIREMENT } from '@mai/selector';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { poolsWith } from '../pools/hard-limit.js';
import { loadCandidate, type LoadContext, type LoadOutcome } from './load-candidate.js';

/**
 * The footprint of an unloaded instance, if it fits beside the residents. The instance was resident before,
 * so it only has to stay within the hard limit. Null if it does not fit, if its footprint is unknown, or if
 * another copy of the model is resident.
 */
export async function footprintIfFits(
  ports: Pick<AutopilotPorts, 'estimator'>,
  { policy, resources, residents }: Pick<AssembledInput, 'policy' | 'resources' | 'residents'>,
  instance: RuntimeInstance,
  signal: AbortSignal | null,
): Promise<Footprint | null> {
  const { modelKey, deviceIdentifier } = instance;
  if (residents.some((resident) => resident.modelKey === modelKey)) return null;
  const { footprint } = await ports.estimator.estimate(
    { modelKey, loadConfig: loadConfigOf(instance), resources, deviceIdentifier },
    callOptions(signal, null),
  );
  if (footprint === null) return null;
  const pools = poolsWith(resources, residents, policy);
  const needed = chargeLoad(footprint, resources, policy.growth);
  return fits(pools, needed, { limit: HARD_LIMIT }) ? footprint : null;
}

/** Loads an instance again as it was, under its old identifier if that is free. */
export function rollBack(
  ports: AutopilotPorts,
  instance: RuntimeInstance,
  footprint: Footprint,
  context: LoadContext,
): Promise<LoadOutcome> {
  context.emit({
    type: 'rolling-back',
    modelKey: instance.modelKey,
    instanceIdentifier: instance.instanceIdentifier,
  });
  return loadCandidate(ports, {
    ...context,
    requirement: NO_REQUIREMENT,
    modelKey: instance.modelKey,
    loadConfig: loadConfigOf(instance),
    footprint,
    ttlMs: instance.ttlMs,
    identifier: instance.instanceIdentifier,
  });
}
