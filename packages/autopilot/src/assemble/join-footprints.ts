import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import { selectModel, type CallersWait, type Requirement, type Resident } from '@mai/selector';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import { throwIfAborted } from '../ports/clock.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { buildCandidates, type AssembledCandidate } from './build-candidates.js';
import { buildResidents } from './build-residents.js';
import type { CompleteRequest } from '../request/selection-request.js';

/** The input of `selectModel`. Its load options list their trade-offs. */
export interface AssembledInput {
  readonly candidates: readonly AssembledCandidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
  /** See `SelectionInput`. */
  readonly steppingDown?: boolean;
  /** See `SelectionInput`. */
  readonly retained?: readonly string[];
  /** See `SelectionInput`. */
  readonly callersWait?: CallersWait | null;
}

/** The readings that a decision is made from, before footprints are added. */
export interface AssemblyFacts {
  readonly catalog: CatalogReading;
  readonly instances: readonly RuntimeInstance[];
  readonly resources: Resources;
  readonly request: CompleteRequest;
}

/** Keeps the last answer, and returns it again as long as it is valid. */
export interface Memo<Answer> {
  recall(facts: AssemblyFacts): Answer | null;
  remember(facts: AssemblyFacts, answer: Answer): void;
}

/**
 * Keeps the candidates and the residents of the last decision, as long as the readings that they depend on
 * do not change.
 */
export interface AssemblyMemo {
  readonly candidates: Memo<readonly AssembledCandidate[]>;
  readonly residents: Memo<readonly Resident[]>;
}

/** Options of the join. */
interface JoinOptions {
  readonly signal: AbortSignal | null;
  readonly memo: AssemblyMemo | null;
  /** See `assembleSelectionInput`. */
  readonly untilFit: boolean;
}

/** Adds footprints to the readings. With a memo, only footprints that may have changed are estimated again. */
export async function joinFootprints(
  { estimator, clock }: Pick<AutopilotPorts, 'estimator' | 'clock'>,
  facts: AssemblyFacts,
  { signal, memo, untilFit }: JoinOptions,
): Promise<AssembledInput> {
  const known = {
    candidates: memo?.candidates.recall(facts) ?? null,
    residents: memo?.residents.recall(facts) ?? null,
  };
  const reading =
    known.residents ?? buildResidents({ ...facts, estimator, nowMs: clock.nowMs(), signal });
  const join = (
    candidates: readonly AssembledCandidate[],
    residents: readonly Resident[],
  ): AssembledInput => ({
    candidates,
    requirement: facts.request.requirement,
    resources: facts.resources,
    residents,
    policy: facts.catalog.policy,
  });
  const countTried = untilFit
    ? async (candidates: readonly AssembledCandidate[]) =>
        countUntilFit(join(candidates, await reading))
    : null;
  const [candidates, residents] = await Promise.all([
    known.candidates ?? buildCandidates({ ...facts, estimator, signal, countTried }),
    reading,
  ]);
  throwIfAborted(signal);
  if (known.candidates === null) memo?.candidates.remember(facts, candidates);
  if (known.residents === null) memo?.residents.remember(facts, residents);
  return join(candidates, residents);
}

/**
 * The number of candidates up to the one that is chosen if each has only its first load option. The decision does not
 * try the candidates after it. With residents, the number of all candidates, because another load option of a later
 * candidate may keep a resident.
 */
function countUntilFit(input: AssembledInput): number {
  const all = input.candidates.length;
  if (input.residents.length > 0) return all;
  const { chosen, notes } = selectModel(input);
  // A cheaper load option of a later candidate may be fast enough.
  if (chosen === null || notes.some(({ code }) => code === 'TOO_SLOW')) return all;
  return chosen.candidateIndex + 1;
}
