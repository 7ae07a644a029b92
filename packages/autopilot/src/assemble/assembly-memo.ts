import type { Resources } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
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
  const candidates = createMemo<CandidateQuestion, readonly LadderCandidate[]>(
    (one, other) =>
      one.catalog === other.catalog &&
      isSameData(one.request.requirement, other.request.requirement) &&
      isSameData(one.request.coolingDownUntilMs, other.request.coolingDownUntilMs) &&
      one.request.ladder === other.request.ladder &&
      one.request.deviceIdentifier === other.request.deviceIdentifier &&
      isSameMachine(one.resources, other.resources),
  );
  const residents = createMemo<ResidentQuestion, readonly Resident[]>(
    (one, other) =>
      isSameData(one.instances, other.instances) &&
      isSameData(one.request.requirement, other.request.requirement) &&
      isSameData(one.request.pinned, other.request.pinned) &&
      isSameData(one.request.leased, other.request.leased) &&
      isSameData(one.request.acceptedAs, other.request.acceptedAs) &&
      one.request.deviceIdentifier === other.request.deviceIdentifier &&
      isSameMachine(one.resources, other.resources) &&
      // One that hides what it does counts as busy for a while after its last use: time decides.
      !one.instances.some((instance) => instance.activity === null),
  );
  return {
    candidates,
    residents,
    forget: () => {
      candidates.forget();
      residents.forget();
    },
  };

  function createMemo<Question, Answer>(
    isSame: (one: Question, other: Question) => boolean,
  ): Memo<Question, Answer> & { forget(): void } {
    let last: { readonly question: Question; readonly answer: Answer } | null = null;
    let atMs = 0;
    return {
      recall: (question) =>
        last !== null && monotonicMs() - atMs < freshMs && isSame(last.question, question)
          ? last.answer
          : null,
      remember: (question, answer) => {
        last = { question, answer };
        atMs = monotonicMs();
      },
      forget: () => {
        last = null;
      },
    };
  }
}

/** A footprint depends on what the machine has, not on what is left of it. */
function isSameMachine(one: Resources, other: Resources): boolean {
  return (
    one.unified === other.unified &&
    one.gpus.length === other.gpus.length &&
    one.gpus.every((gpu, index) => {
      const same = other.gpus[index];
      return (
        gpu.deviceKey === same?.deviceKey &&
        gpu.memory === same.memory &&
        gpu.totalBytes === same.totalBytes
      );
    })
  );
}
