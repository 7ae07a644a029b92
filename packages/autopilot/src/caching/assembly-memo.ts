import type { Resources } from '@mai/memory-ledger';
import type { AssemblyFacts, AssemblyMemo, Memo } from '../assemble/join-footprints.js';
import { isSameData } from '../same-data.js';

/** An `AssemblyMemo` that can be emptied. */
export interface ForgetfulMemo extends AssemblyMemo {
  forget(): void;
}

/**
 * Keeps candidates and residents between decisions. Otherwise dozens of load options would be built every
 * second.
 *
 * @param isFresh - whether estimates that were made at a monotonic time are still valid.
 * @param revision - `EstimatorPort.revision`: candidates from before a change have old speeds.
 */
export function createAssemblyMemo(
  monotonicMs: () => number,
  isFresh: (madeAtMs: number) => boolean,
  revision: () => number,
): ForgetfulMemo {
  let generation = 0;
  const createMemo = <Answer>(
    isSame: (one: AssemblyFacts, other: AssemblyFacts) => boolean,
  ): Memo<Answer> => {
    let last: {
      readonly facts: AssemblyFacts;
      readonly answer: Answer;
      readonly atMs: number;
      readonly generation: number;
      readonly revision: number;
    } | null = null;
    return {
      recall: (facts) =>
        last !== null &&
        last.generation === generation &&
        last.revision === revision() &&
        isFresh(last.atMs) &&
        isSame(last.facts, facts)
          ? last.answer
          : null,
      remember: (facts, answer) => {
        last = { facts, answer, atMs: monotonicMs(), generation, revision: revision() };
      },
    };
  };
  return {
    candidates: createMemo(
      (one, other) =>
        one.catalog === other.catalog &&
        isSameData(one.request.requirement, other.request.requirement) &&
        isSameData(one.request.coolingDownUntilMs, other.request.coolingDownUntilMs) &&
        one.request.tradeOffs === other.request.tradeOffs &&
        one.request.deviceIdentifier === other.request.deviceIdentifier &&
        isSameMachine(one.resources, other.resources),
    ),
    residents: createMemo(
      (one, other) =>
        one.catalog === other.catalog &&
        isSameData(one.instances, other.instances) &&
        isSameData(one.request.requirement, other.request.requirement) &&
        isSameData(one.request.pinned, other.request.pinned) &&
        isSameData(one.request.leased, other.request.leased) &&
        isSameData(one.request.acceptedAs, other.request.acceptedAs) &&
        one.request.deviceIdentifier === other.request.deviceIdentifier &&
        isSameMachine(one.resources, other.resources) &&
        // An instance that hides its activity counts as busy for a while after its last use.
        !one.instances.some((instance) => instance.activity === null),
    ),
    forget: () => {
      generation += 1;
    },
  };
}

/** A footprint depends on the machine's devices, not on their available memory. */
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
