import type { Current } from './chain-position.js';
import { comparePositions } from './chain-position.js';
import { chargeOfLoad } from './charge.js';
import { allowedUseBytes } from './fit.js';
import type { Candidate, LoadOption, Resident, SelectionInput } from './input.js';
import { chargesOf, type Attempt, type Surroundings } from './plan-switch.js';
import type {
  Chosen,
  Plan,
  PlanStep,
  PoolOutcome,
  RejectedCandidate,
  Rejection,
  Selection,
} from './selection.js';
import { noteSelection, poolsUsedBy } from './selection-notes.js';
import { servesOption } from './serves.js';

/** A candidate and load option with the plan for it. */
export interface PickedOption {
  readonly candidate: Candidate;
  readonly candidateIndex: number;
  readonly option: LoadOption;
  readonly optionIndex: number;
  readonly attempt: Attempt;
}

/** What the search through the chain found. */
export interface Outcome {
  readonly picked: PickedOption | null;
  readonly afterDrain: PickedOption | null;
  readonly rejected: readonly RejectedCandidate[];
  readonly current: Current | null;
}

/** What is wrong with a model that is kept for want of another, and does not do what is asked for. */
const UNSERVED: ReadonlySet<Rejection['code']> = new Set([
  'MISSING_CAPABILITY',
  'OUTSIDE_TIER',
  'CONTEXT_TOO_SMALL',
]);

const NO_PLAN: Plan = { steps: [], order: null };

/** Turns what was found into a decision. */
export function concludeSelection(
  input: SelectionInput,
  surroundings: Surroundings,
  outcome: Outcome,
): Selection {
  const { picked, current } = outcome;
  const afterDrain = describeDrain(outcome.afterDrain);
  if (picked !== null && picked.attempt.kind === 'fits') {
    const chosen = describePick(picked, input);
    const loads = chosen.instanceIdentifier === null;
    return finish({
      decision: loads ? (current === null ? 'load' : 'switch') : 'keep',
      direction: loads ? directionFrom(current, picked) : null,
      chosen,
      plan: picked.attempt.plan,
    });
  }

  const kept = current === null ? null : describeCurrent(current, input);
  if (afterDrain !== null) {
    const direction = directionFrom(current, afterDrain);
    return finish({ decision: 'wait', direction, chosen: kept, plan: NO_PLAN });
  }
  const released = releasable(surroundings);
  if (released.length > 0) {
    const steps = released.map((resident): PlanStep => ({
      action: 'unload',
      instanceIdentifier: resident.instanceIdentifier,
      modelKey: resident.modelKey,
      why: 'make-room',
    }));
    return finish({
      decision: 'release',
      direction: 'down',
      chosen: null,
      plan: { steps, order: null },
    });
  }
  // A downgrade that would not bring the pool below its limit only costs the better model.
  return kept === null
    ? finish({ decision: 'none', direction: null, chosen: null, plan: NO_PLAN })
    : finish({ decision: 'keep', direction: null, chosen: kept, plan: NO_PLAN });

  function finish(
    decided: Pick<Selection, 'decision' | 'direction' | 'chosen' | 'plan'>,
  ): Selection {
    const pools = outcomesOf(input, surroundings, decided.plan);
    const selection = {
      ...decided,
      pools,
      headroomBytes: tightest(pools, decided.chosen),
      rejected: outcome.rejected.filter(
        ({ candidateIndex, rejection }) =>
          candidateIndex !== decided.chosen?.candidateIndex || UNSERVED.has(rejection.code),
      ),
      afterDrain,
    };
    return { ...selection, notes: noteSelection(input, selection) };
  }
}

function directionFrom(
  current: Current | null,
  to: { readonly candidateIndex: number; readonly optionIndex: number },
): 'up' | 'down' | null {
  if (current === null) return null;
  return comparePositions(to, current.position) < 0 ? 'up' : 'down';
}

function describePick(
  { candidate, candidateIndex, option, optionIndex }: PickedOption,
  { residents, requirement }: SelectionInput,
): Chosen {
  const resident = residents.find((one) =>
    servesOption(one, candidate.modelKey, option, requirement),
  );
  return describe(candidate, candidateIndex, option, optionIndex, resident ?? null);
}

function describeCurrent(
  { resident, position }: Current,
  { candidates }: SelectionInput,
): Chosen | null {
  const candidate = candidates[position.candidateIndex];
  const option = candidate?.loadOptions[position.optionIndex];
  if (candidate === undefined || option === undefined) return null;
  return describe(candidate, position.candidateIndex, option, position.optionIndex, resident);
}

function describe(
  candidate: Candidate,
  candidateIndex: number,
  loadOption: LoadOption,
  optionIndex: number,
  resident: Resident | null,
): Chosen {
  return {
    candidateIndex,
    modelKey: candidate.modelKey,
    displayName: candidate.displayName,
    tier: candidate.tier,
    optionIndex,
    loadOption,
    instanceIdentifier: resident?.instanceIdentifier ?? null,
    footprint: resident === null ? loadOption.footprint : resident.footprint,
  };
}

function describeDrain(pick: PickedOption | null): Selection['afterDrain'] {
  if (pick?.attempt.kind !== 'after-drain') return null;
  return {
    candidateIndex: pick.candidateIndex,
    modelKey: pick.candidate.modelKey,
    optionIndex: pick.optionIndex,
    waitsFor: pick.attempt.waitsFor,
    plan: pick.attempt.plan,
  };
}

/** What may go because memory is about to run out: idle and ours, where a pool is over its hard limit. */
function releasable({ pools, residents, evictability }: Surroundings): readonly Resident[] {
  const over = pools.filter(
    (pool) => pool.othersBytes + pool.residentBytes > allowedUseBytes(pool, { kind: 'hard-limit' }),
  );
  const ours = [
    ...evictability.superseded,
    ...evictability.spare.filter(({ foreign }) => !foreign),
  ];
  return ours.filter((resident) => {
    const full = residents.find((one) => one.resident === resident)?.full;
    return over.some(({ name }) => (full?.get(name) ?? 0) > 0);
  });
}

/** Each pool before and after a plan. */
export function outcomesOf(
  { resources, residents }: SelectionInput,
  surroundings: Surroundings,
  { steps }: Plan,
): readonly PoolOutcome[] {
  const unloaded = new Set(
    steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
  );
  const freed = chargesOf(
    surroundings.residents,
    residents.filter(({ instanceIdentifier }) => unloaded.has(instanceIdentifier)),
  );
  const loaded = steps.flatMap((step) =>
    step.action === 'load' && step.loadOption.footprint !== null
      ? [chargeOfLoad(step.loadOption.footprint, resources).full]
      : [],
  );
  return surroundings.pools.map((pool) => {
    const before = pool.othersBytes + pool.residentBytes;
    const reclaimableBytes = freed.get(pool.name) ?? 0;
    const added = loaded.reduce((sum, charge) => sum + Math.ceil(charge.get(pool.name) ?? 0), 0);
    const after = before - reclaimableBytes + added;
    return {
      pool: pool.name,
      totalBytes: pool.totalBytes,
      othersBytes: pool.othersBytes,
      useBeforeBytes: before,
      useAfterBytes: after,
      headroomBytes: pool.totalBytes - after,
      limitRatio: pool.limitRatio,
      hardLimitRatio: pool.hardLimitRatio,
      reclaimableBytes,
    };
  });
}

function tightest(pools: readonly PoolOutcome[], chosen: Chosen | null): number | null {
  if (chosen === null) return null;
  return Math.min(
    ...poolsUsedBy(chosen.footprint, pools).map(({ headroomBytes }) => headroomBytes),
  );
}
