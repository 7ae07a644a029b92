import type { Clock } from '../ports/clock.js';
import { isOutOfReach, PEER_SILENT } from './out-of-reach.js';

/**
 * Times are counted in these intervals. A process that was stopped, or had no CPU time, then counts one interval, and reads
 * what has arrived meanwhile before it counts the next one.
 */
const INTERVAL_MS = 500;
/** Silence of a request after which its host is asked for a sign of life. */
const SILENT_INTERVALS = 2;
/** From one sign of life to the next question. */
const CALM_INTERVALS = 4;
/**
 * How long each question waits for its answer. The first one takes the connection of the question before, where there is one. The
 * second one opens another connection, whose first packet TCP sends again after one second and after three.
 */
const ANSWER_INTERVALS: readonly number[] = [4, 8];

/** One question for a sign of life. `settled` is called once: with null where the host has answered. */
export type AskForSign = (settled: (error: Error | null) => void) => {
  readonly cancel: () => void;
};

/** The requests that are under way to one other host. */
export interface PeerPath {
  /**
   * A request begins.
   *
   * @param fail - ends the request. Called where it has waited in silence and the host gives no sign of life
   */
  begin(fail: (error: Error) => void): PathUse;
}

/** One request. */
export interface PathUse {
  /** Something has arrived. */
  heard(): void;
  /** The request has ended. */
  end(): void;
}

interface Question {
  /** From 0. */
  readonly attempt: number;
  intervals: number;
  cancel: () => void;
}

interface Use {
  readonly fail: (error: Error) => void;
  silentIntervals: number;
}

/**
 * Notices that the way to another host is cut while requests wait for its answers. TCP alone notices it after up to a quarter of an
 * hour, and the first token of a long prompt may take as long. So the wait of a request says nothing, and the host is asked for a
 * sign of life beside it: after one second of silence, and then every two seconds. Where two questions in a row get no answer, for
 * two and for four seconds, the requests that wait in silence fail.
 *
 * Any answer is a sign of life, also one that refuses the question or the certificate, and whatever arrives for any of the requests. A
 * refused connection is no sign of life (`isOutOfReach`). A gateway for other hosts listens until its last request has ended, so it
 * refuses no connection while a request runs there. Asks for nothing while answers flow, and while no request is under way.
 */
export function createPeerPath(clock: Clock, ask: AskForSign): PeerPath {
  const uses = new Set<Use>();
  let cancelTimer: (() => void) | null = null;
  let calmIntervals = 0;
  /** The question under way; null where there is none. */
  let question: Question | null = null;

  const isSilent = ({ silentIntervals }: Use): boolean => silentIntervals >= SILENT_INTERVALS;

  const begin = (attempt: number): void => {
    const asked: Question = { attempt, intervals: 0, cancel: () => undefined };
    question = asked;
    const { cancel } = ask((error) => {
      // A way that is cut for a moment may be whole again before the time of the question is over.
      if (question !== asked || (error !== null && isOutOfReach(error))) return;
      question = null;
      calmIntervals = 0;
    });
    asked.cancel = cancel;
  };
  const endQuestion = (): void => {
    const ended = question;
    question = null;
    ended?.cancel();
  };
  const noteNoAnswer = (attempt: number): void => {
    endQuestion();
    if (attempt + 1 < ANSWER_INTERVALS.length) {
      begin(attempt + 1);
      return;
    }
    calmIntervals = 0;
    const error = Object.assign(new Error('Nothing arrives from the other host any more.'), {
      code: PEER_SILENT,
    });
    for (const use of [...uses].filter(isSilent)) use.fail(error);
  };

  const count = (): void => {
    for (const use of uses) use.silentIntervals += 1;
    calmIntervals += 1;
    if (question !== null) {
      question.intervals += 1;
      const { intervals, attempt } = question;
      if (intervals >= (ANSWER_INTERVALS[attempt] ?? 0)) noteNoAnswer(attempt);
    } else if (calmIntervals >= CALM_INTERVALS && [...uses].some(isSilent)) begin(0);
    countRegularly();
  };
  const countRegularly = (): void => {
    cancelTimer = uses.size === 0 ? null : clock.setTimer(INTERVAL_MS, count);
  };

  return {
    begin: (fail) => {
      const use: Use = { fail, silentIntervals: 0 };
      // Signs of life from before this request say nothing about it.
      if (uses.size === 0) calmIntervals = CALM_INTERVALS;
      uses.add(use);
      if (cancelTimer === null) countRegularly();
      return {
        heard: () => {
          use.silentIntervals = 0;
          calmIntervals = 0;
          if (question !== null) question.intervals = 0;
        },
        end: () => {
          uses.delete(use);
          if (uses.size > 0) return;
          endQuestion();
          cancelTimer?.();
          cancelTimer = null;
        },
      };
    },
  };
}
