import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Requirement, Resident } from '@mai/selector';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { buildCandidates, type LadderCandidate } from './build-candidates.js';
import type { AssemblyMemo } from './assembly-memo.js';
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
  /** See `SelectionInput`; added by who knows what was resident before. */
  readonly steppingDown?: boolean;
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
  { signal, memo }: { readonly signal: AbortSignal | null; readonly memo: AssemblyMemo | null },
): Promise<AssembledInput> {
  throwIfAborted(signal);
  const complete = completeRequest(request);
  const [catalog, instances, resources] = await Promise.all([
    ports.catalog.read({ ...callOptions(signal, null), chain: complete.chain }),
    ports.runtime.listResidents(callOptions(signal, null)),
    observeResources(ports, complete.deviceIdentifier, signal),
  ]);
  const { estimator } = ports;
  const nowMs = ports.clock.nowMs();
  const facts = { catalog, instances, resources, request: complete };
  const known = {
    candidates: memo?.candidates.recall(facts) ?? null,
    residents: memo?.residents.recall(facts) ?? null,
  };
  const [candidates, residents] =
    known.candidates !== null && known.residents !== null
      ? [known.candidates, known.residents]
      : await Promise.all([
          known.candidates ?? buildCandidates({ ...facts, estimator, signal }),
          known.residents ?? buildResidents({ ...facts, estimator, nowMs, signal }),
        ]);
  throwIfAborted(signal);
  if (known.candidates === null) memo?.candidates.remember(facts, candidates);
  if (known.residents === null) memo?.residents.remember(facts, residents);
  return {
    candidates,
    requirement: complete.requirement,
    resources,
    residents,
    policy: catalog.policy,
  };
}
