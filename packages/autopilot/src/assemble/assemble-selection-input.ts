import type { Requirement, Resident, Resources, SelectionPolicy } from '@mai/selector';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { buildCandidates, type LadderCandidate } from './build-candidates.js';
import type { CandidateMemo } from './candidate-memo.js';
import { buildResidents } from './build-residents.js';
import { observeResources } from './observe-resources.js';
import { completeRequest, type SelectionRequest } from './selection-request.js';

/** Everything that `selectModel` of `@mai/selector` takes, and nothing that it does not. */
export interface AssembledInput {
  readonly candidates: readonly LadderCandidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
}

/**
 * Joins configuration, what is downloaded, what is loaded, what each way to load each model takes and
 * what the machine has left into the input of a decision. The only place where that join is made.
 *
 * Where the runtime is on another machine, or the request names a device, resources are the totals
 * of the runtime's survey and marked as not observable.
 *
 * @throws whatever a port throws, unchanged; the signal's reason when it fires.
 */
export function assembleSelectionInput(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  { signal = null }: { readonly signal?: AbortSignal | null } = {},
): Promise<AssembledInput> {
  return assembleWithMemo(ports, request, { signal, memo: null });
}

/** The same, for who asks again and again. */
export async function assembleWithMemo(
  ports: AutopilotPorts,
  request: SelectionRequest,
  { signal, memo }: { readonly signal: AbortSignal | null; readonly memo: CandidateMemo | null },
): Promise<AssembledInput> {
  throwIfAborted(signal);
  const complete = completeRequest(request);
  const [catalog, instances, resources] = await Promise.all([
    ports.catalog.read({ ...callOptions(signal, null), chain: complete.chain }),
    ports.runtime.listResidents(callOptions(signal, null)),
    observeResources(ports, complete.deviceIdentifier, signal),
  ]);
  const { estimator } = ports;
  const question = { catalog, resources, request: complete };
  const recalled = memo?.recall(question) ?? null;
  const [candidates, residents] = await Promise.all([
    recalled ?? buildCandidates({ estimator, catalog, resources, request: complete, signal }),
    buildResidents({
      estimator,
      instances,
      resources,
      request: complete,
      nowMs: ports.clock.nowMs(),
      signal,
    }),
  ]);
  throwIfAborted(signal);
  if (recalled === null) memo?.remember(question, candidates);
  return {
    candidates,
    requirement: complete.requirement,
    resources,
    residents,
    policy: catalog.policy,
  };
}
