import type { Clock } from '@mai/autopilot';
import type { MeasuredAnswer } from './speed-learner.js';

/** Number of a resident's first answers, which are all stored. Of later answers, one in `LATER_EVERY_MS` is stored. */
const FIRST_ANSWERS = 10;
const LATER_EVERY_MS = 30_000;
/** Residents whose number of answers is kept. */
const COUNTED_MAX = 100;
/** The log and the gateway report the same answer within this time of each other. */
const SAME_ANSWER_MS = 5000;

/** Who reports an answer. */
export type AnswerSource = 'gateway' | 'log';

/** The speeds of an answer; null where they were not measured. */
export interface AnswerSpeeds extends Pick<
  MeasuredAnswer,
  'modelKey' | 'instanceIdentifier' | 'depthTokens'
> {
  readonly prompt: TokenSpeed | null;
  readonly output: TokenSpeed | null;
}

export interface TokenSpeed {
  readonly tokens: number;
  readonly tokensPerSecond: number;
}

/** Decides which answers are learned from. */
export interface AnswerFilter {
  /** Whether the other source has reported this answer: the gateway's answers are in LM Studio's log, too. */
  isReportedTwice(by: AnswerSource, answer: AnswerSpeeds): boolean;
  /** Whether an answer is stored. Most answers of a busy resident are not, because their speeds hardly differ. */
  isWorthStoring(instanceIdentifier: string): boolean;
}

export function createAnswerFilter(clock: Pick<Clock, 'monotonicMs'>): AnswerFilter {
  const counts = new Map<string, { answers: number; storedAtMs: number }>();
  /** The answers of the last seconds, by who reported them. */
  let reported: readonly ReportedAnswer[] = [];
  return {
    isReportedTwice: (by, answer) => {
      const atMs = clock.monotonicMs();
      reported = reported.filter((one) => Math.abs(atMs - one.atMs) < SAME_ANSWER_MS);
      const before = reported.find((one) => one.by !== by && isSameAnswer(one.answer, answer));
      reported =
        before === undefined
          ? [...reported, { by, answer, atMs }]
          : reported.filter((one) => one !== before);
      return before !== undefined;
    },
    isWorthStoring: (instanceIdentifier) => {
      const nowMs = clock.monotonicMs();
      const count = counts.get(instanceIdentifier) ?? { answers: 0, storedAtMs: -Infinity };
      count.answers += 1;
      if (count.answers > FIRST_ANSWERS && nowMs - count.storedAtMs < LATER_EVERY_MS) return false;
      count.storedAtMs = nowMs;
      if (counts.size >= COUNTED_MAX) counts.clear();
      counts.set(instanceIdentifier, count);
      return true;
    },
  };
}

/** An answer, and who has reported it. */
interface ReportedAnswer {
  readonly by: AnswerSource;
  readonly answer: AnswerSpeeds;
  readonly atMs: number;
}

/** The gateway may count the first token as a part of the prompt. */
function isSameAnswer(one: AnswerSpeeds, other: AnswerSpeeds): boolean {
  return (
    one.instanceIdentifier === other.instanceIdentifier &&
    one.depthTokens === other.depthTokens &&
    Math.abs((one.output?.tokens ?? 0) - (other.output?.tokens ?? 0)) <= 1
  );
}
