import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Requirement, Resident } from '@mai/selector';
import type { AssemblyMemo } from '../caching/assembly-memo.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import { throwIfAborted } from '../ports/clock.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { buildCandidates, type AssembledCandidate } from './build-candidates.js';
import { buildResidents } from './build-residents.js';
import { observeResources } from './observe-resources.js';
import {
  completeRequest,
  type CompleteRequest,
  type SelectionRequest,
} from './selection-request.js';

/** The input of `selectModel`, with load options that say what they give up. */
export interface AssembledInput {
  readonly candidates: readonly AssembledCandidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
  /** See `SelectionInput`. */
  readonly steppingDown?: boolean;
}

/** Everything that was read for a decision, before footprints are joined to it. */
export interface AssemblyFacts {
  readonly catalog: CatalogReading;
  readonly instances: readonly RuntimeInstance[];
  readonly resources: Resources;
  readonly request: CompleteRequest;
}

/**
 * Reads the catalog, the residents and the machine, estimates every load option, and joins all of it into
 * the input of a decision.
 *
 * Where the runtime is on another machine, or the request names a device, the resources are the totals of
 * the runtime's survey and marked as not observable.
 *
 * @throws whatever a port throws, unchanged; the signal's reason when it fires.
 */
export async function assembleSelectionInput(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  { signal = null }: { readonly signal?: AbortSignal | null } = {},
): Promise<AssembledInput> {
  throwIfAborted(signal);
  const complete = completeRequest(request);
  const [catalog, instances, resources] = await Promise.all([
    ports.catalog.read({ ...callOptions(signal, null), chain: complete.chain }),
    ports.runtime.listResidents(callOptions(signal, null)),
    observeResources(ports, complete.deviceIdentifier, signal),
  ]);
  const facts = { catalog, instances, resources, request: complete };
  return joinFootprints(ports, facts, { signal, memo: null });
}

/** Joins footprints to what was read; with a memo only where they may have changed. */
export async function joinFootprints(
  { estimator, clock }: Pick<AutopilotPorts, 'estimator' | 'clock'>,
  facts: AssemblyFacts,
  { signal, memo }: { readonly signal: AbortSignal | null; readonly memo: AssemblyMemo | null },
): Promise<AssembledInput> {
  const known = {
    candidates: memo?.candidates.recall(facts) ?? null,
    residents: memo?.residents.recall(facts) ?? null,
  };
  const [candidates, residents] = await Promise.all([
    known.candidates ?? buildCandidates({ ...facts, estimator, signal }),
    known.residents ?? buildResidents({ ...facts, estimator, nowMs: clock.nowMs(), signal }),
  ]);
  throwIfAborted(signal);
  if (known.candidates === null) memo?.candidates.remember(facts, candidates);
  if (known.residents === null) memo?.residents.remember(facts, residents);
  return {
    candidates,
    requirement: facts.request.requirement,
    resources: facts.resources,
    residents,
    policy: facts.catalog.policy,
  };
}
