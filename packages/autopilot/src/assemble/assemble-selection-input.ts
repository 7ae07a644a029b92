import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import { joinFootprints, type AssembledInput } from './join-footprints.js';
import { observeResources } from './observe-resources.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import { withGrowth } from './with-growth.js';
import type { Yield } from '../journal/journal-state.js';
import { reserveMemory } from '../pools/reserve-memory.js';
import { completeRequest, type SelectionRequest } from '../request/selection-request.js';

/**
 * Reads the catalog, the residents and the machine, estimates every load option, and joins all of it into the
 * input of a decision.
 *
 * If the runtime is on another machine, or the request names a device, the resources are the totals of the
 * runtime's survey. They are marked as not observable.
 *
 * @param options.yields Yields that have not ended. Their memory counts as used. Default: no yield.
 * @param options.untilFit Whether to leave out the cheaper load options of candidates that the decision does not try.
 *   If nothing is resident, these are the candidates after the first that fits as configured. Default false.
 * @throws the errors of the ports, unchanged, and the signal's reason when it fires.
 */
export async function assembleSelectionInput(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  options: {
    readonly signal?: AbortSignal | null;
    readonly untilFit?: boolean;
    readonly yields?: readonly Yield[];
  } = {},
): Promise<AssembledInput> {
  const { signal = null, untilFit = false, yields = [] } = options;
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
  const input = await joinFootprints(ports, facts, { signal, memo: null, untilFit });
  const grown = await withGrowth(ports, new GrowthWatch(), { input, facts, fresh: true }, signal);
  if (yields.length === 0) return grown;
  const { resources: left, residents } = reserveMemory(grown, yields, {});
  return { ...grown, resources: left, residents };
}
