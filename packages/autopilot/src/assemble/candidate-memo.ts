import type { LadderCandidate } from './build-candidates.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { Resources } from '@mai/selector';
import type { CompleteRequest } from './selection-request.js';

/** What a list of candidates depends on. */
interface Question {
  readonly catalog: CatalogReading;
  readonly resources: Resources;
  readonly request: CompleteRequest;
}

/**
 * The candidates of the last decision, for as long as they would come out the same: a loop that decides
 * every second would otherwise build dozens of rungs each time.
 */
export interface CandidateMemo {
  recall(question: Question): readonly LadderCandidate[] | null;
  remember(question: Question, candidates: readonly LadderCandidate[]): void;
  forget(): void;
}

/** @param freshMs - how long estimates are taken to hold. */
export function createCandidateMemo(monotonicMs: () => number, freshMs: number): CandidateMemo {
  let last: {
    readonly catalog: CatalogReading;
    readonly key: string;
    readonly atMs: number;
    readonly candidates: readonly LadderCandidate[];
  } | null = null;
  return {
    recall: (question) => {
      const fresh =
        last !== null &&
        last.catalog === question.catalog &&
        monotonicMs() - last.atMs < freshMs &&
        last.key === keyOf(question);
      return fresh && last !== null ? last.candidates : null;
    },
    remember: (question, candidates) => {
      const { catalog } = question;
      last = { catalog, key: keyOf(question), atMs: monotonicMs(), candidates };
    },
    forget: () => {
      last = null;
    },
  };
}

/** A footprint depends on what the machine has, not on what is left of it. */
function keyOf({ resources, request }: Question): string {
  return JSON.stringify([
    request.requirement,
    request.ladder,
    request.deviceIdentifier,
    request.coolingDownUntilMs,
    resources.unified,
    resources.gpus.map((gpu) => [gpu.deviceKey, gpu.memory, gpu.totalBytes]),
  ]);
}
