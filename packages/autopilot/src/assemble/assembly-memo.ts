import type { Resident, Resources } from '@mai/selector';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { LadderCandidate } from './build-candidates.js';
import { isSameData } from './same-data.js';
import type { CompleteRequest } from './selection-request.js';

/** What a list of candidates depends on. */
interface CandidateQuestion {
  readonly catalog: CatalogReading;
  readonly resources: Resources;
  readonly request: CompleteRequest;
}

/** What a list of residents depends on. */
interface ResidentQuestion {
  readonly instances: readonly RuntimeInstance[];
  readonly resources: Resources;
  readonly request: CompleteRequest;
}

/**
 * The candidates and residents of the last decision, for as long as they would come out the same: a loop
 * that decides every second would otherwise build dozens of rungs each time.
 */
export interface AssemblyMemo {
  readonly candidates: Memo<CandidateQuestion, readonly LadderCandidate[]>;
  readonly residents: Memo<ResidentQuestion, readonly Resident[]>;
  forget(): void;
}

/** The last answer. */
interface Memo<Question, Answer> {
  recall(question: Question): Answer | null;
  remember(question: Question, answer: Answer): void;
}

/** @param freshMs - how long estimates are taken to hold. */
export function createAssemblyMemo(monotonicMs: () => number, freshMs: number): AssemblyMemo {
  let generation = 0;
  const memo = <Question, Answer>(
    factsOf: (question: Question) => readonly unknown[] | null,
  ): Memo<Question, Answer> => {
    let last: {
      readonly generation: number;
      readonly facts: readonly unknown[];
      readonly atMs: number;
      readonly answer: Answer;
    } | null = null;
    return {
      recall: (question) => {
        if (last?.generation !== generation || monotonicMs() - last.atMs >= freshMs) return null;
        return isSameData(factsOf(question), last.facts) ? last.answer : null;
      },
      remember: (question, answer) => {
        const facts = factsOf(question);
        last = facts === null ? null : { generation, facts, atMs: monotonicMs(), answer };
      },
    };
  };
  return {
    candidates: memo(({ catalog, resources, request }) => [
      catalog,
      request.requirement,
      request.ladder,
      request.deviceIdentifier,
      request.coolingDownUntilMs,
      machineOf(resources),
    ]),
    residents: memo(({ instances, resources, request }) =>
      // One that hides what it does counts as busy for a while after its last use: time decides.
      instances.some((one) => one.activity === null)
        ? null
        : [
            instances,
            request.requirement,
            request.deviceIdentifier,
            request.pinned,
            request.leased,
            request.acceptedAs,
            machineOf(resources),
          ],
    ),
    forget: () => {
      generation += 1;
    },
  };
}

/** A footprint depends on what the machine has, not on what is left of it. */
function machineOf({ unified, gpus }: Resources): readonly unknown[] {
  return [unified, gpus.map((gpu) => [gpu.deviceKey, gpu.memory, gpu.totalBytes])];
}
