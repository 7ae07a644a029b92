import type { Candidate, LoadOption, Plan, Resident, Selection } from '@mai/selector';
import type { DecisionRecord } from './decision-record.js';

/**
 * Sets the fields to null that an earlier program left out where a value was not known, and adds the note about unknown RAM, which
 * it did not write. Records of the present version may lack them, too.
 *
 * @throws TypeError where the record is damaged.
 */
export function withUnknowns(record: DecisionRecord): DecisionRecord {
  const { input, selection } = record;
  const { chosen, plan, afterDrain } = selection;
  return {
    ...record,
    input: {
      ...input,
      candidates: input.candidates.map(candidateOf),
      residents: input.residents.map(residentOf),
    },
    selection: {
      ...selection,
      chosen: chosen && { ...chosen, loadOption: optionOf(chosen.loadOption) },
      plan: planOf(plan),
      afterDrain: afterDrain && { ...afterDrain, plan: planOf(afterDrain.plan) },
      notes: notesOf(record),
    },
  };
}

/** A value as an earlier program may have written it. */
type Written<Value, Keys extends keyof Value> = Omit<Value, Keys> & Partial<Pick<Value, Keys>>;

function candidateOf({
  refusal = null,
  expandedFrom = null,
  ...candidate
}: Written<Candidate, 'refusal' | 'expandedFrom'>): Candidate {
  return {
    ...candidate,
    loadOptions: candidate.loadOptions.map(optionOf),
    refusal,
    expandedFrom,
  };
}

function residentOf({
  idleInMs = null,
  speed = null,
  ...resident
}: Written<Resident, 'idleInMs' | 'speed'>): Resident {
  return { ...resident, idleInMs, speed };
}

function notesOf({ input, selection: { notes } }: DecisionRecord): Selection['notes'] {
  const { observable, ram } = input.resources;
  const isNoted = notes.some(({ code }) => code === 'RAM_UNMEASURED');
  return !observable || ram.availableBytes !== null || isNoted
    ? notes
    : [{ code: 'RAM_UNMEASURED' }, ...notes];
}

function planOf(plan: Plan): Plan {
  return {
    ...plan,
    steps: plan.steps.map((step) =>
      step.action === 'load' ? { ...step, loadOption: optionOf(step.loadOption) } : step,
    ),
  };
}

function optionOf({
  speed = null,
  quality = null,
  ...option
}: Written<LoadOption, 'speed' | 'quality'>): LoadOption {
  return { ...option, speed, quality };
}
