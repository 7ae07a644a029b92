import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import { joinFootprints, type AssembledInput } from './join-footprints.js';
import { observeResources } from './observe-resources.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import { withGrowth } from '../growth/with-growth.js';
import { completeRequest, type SelectionRequest } from './selection-request.js';

/**
 * Reads the catalog, the residents and the machine, estimates every load option, and joins all of it into
 * the input of a decision.
 *
 * Where the runtime is on another machine, or the request names a device, the resources are the totals of
 * the runtime's survey and marked as not observable.
 *
 * @throws the errors of the ports, unchanged, and the signal's reason when it fires.
 */
export async function assembleSelectionInput(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  { signal = null }: { readonly signal?: AbortSignal | null } = {},
): Promise<AssembledInput> {
  throwIfAborted(signal);
  const complete = completeRequest(request);
  const [catalog, instances, resources] = await Promise.all([
    ports.catalog.read({
      ...callOptions(signal, null),
      chain: complete.chain,
      modelKey: complete.modelKey,
    }),
    ports.runtime.listResidents(callOptions(signal, null)),
    observeResources(ports, complete.deviceIdentifier, signal),
  ]);
  const facts = { catalog, instances, resources, request: complete };
  const input = await joinFootprints(ports, facts, { signal, memo: null });
  return withGrowth(ports, new GrowthWatch(), { input, facts, fresh: true }, signal);
}
