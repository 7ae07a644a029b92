import type { Candidate } from './candidate.js';
import type { PlacementStep, RankingCriterion } from './placement.js';
import type { PlacementPolicy } from './placement-input.js';

const STEPS: Readonly<Record<PlacementStep, number>> = {
  'resident-idle': 0,
  'resident-busy': 1,
  fits: 2,
  'after-eviction': 3,
  smaller: 4,
  'own-host': 5,
};

/** Speeds that differ by less than this factor count as equal. */
const EQUAL_SPEED = Math.log(1.1);

/** Compares two candidates. Negative: `one` ranks first. */
export function compareCandidates(
  one: Candidate,
  other: Candidate,
  { tieMs }: PlacementPolicy,
): number {
  return (
    Number(other.isLastResort) - Number(one.isLastResort) ||
    Number(one.tooSlow) - Number(other.tooSlow) ||
    Math.floor(one.delayMs / tieMs) - Math.floor(other.delayMs / tieMs) ||
    STEPS[one.step] - STEPS[other.step] ||
    speedClass(other) - speedClass(one) ||
    one.ahead - other.ahead ||
    Number(other.warm) - Number(one.warm) ||
    Number(other.isOwn) - Number(one.isOwn) ||
    compareText(one.host, other.host) ||
    one.preference - other.preference ||
    compareText(one.model.modelKey, other.model.modelKey) ||
    compareText(one.resident?.instanceIdentifier ?? '', other.resident?.instanceIdentifier ?? '')
  );
}

/** The first criterion by which `one` ranks before `other`. */
export function decisiveCriterion(
  one: Candidate,
  other: Candidate,
  { tieMs }: PlacementPolicy,
): RankingCriterion {
  if (one.isLastResort !== other.isLastResort) return 'failures';
  if (one.tooSlow !== other.tooSlow) return 'speed-floor';
  if (Math.floor(one.delayMs / tieMs) !== Math.floor(other.delayMs / tieMs)) return 'delay';
  if (one.step !== other.step) return 'step';
  if (speedClass(one) !== speedClass(other)) return 'speed';
  if (one.ahead !== other.ahead) return 'queue';
  if (one.warm !== other.warm) return 'warm-prefix';
  return one.isOwn ? 'own-host' : 'name';
}

/** Intervals of 10 %. An unknown speed is in the lowest one. */
function speedClass({ tokensPerSecond }: Candidate): number {
  return tokensPerSecond === null || tokensPerSecond <= 0
    ? Number.MIN_SAFE_INTEGER
    : Math.floor(Math.log(tokensPerSecond) / EQUAL_SPEED);
}

export function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
