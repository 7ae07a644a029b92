import type { Deadline } from '../ports/race.js';
import { TIMED_OUT } from '../ports/race.js';
import type { FigureSource } from '../snapshot.js';

/** Files answer in microseconds, and programs have deadlines of their own: what is later is stuck in a driver. */
export const ANSWER_WITHIN_MS = 5000;
/** Those that are stuck. They are asked again once they have answered, and nothing waits for them. */
const stuck = new WeakSet<object>();

/** What a reader is told about the sample that it serves. */
export interface SampleContext {
  /** Its own object for each sample, so that readers of one program share one run of it. */
  readonly startedMs: number;
  /**
   * False in a one-shot snapshot: then nothing is started whose answer comes later, and nothing
   * is looked for that only a second sample could use.
   */
  readonly continuing: boolean;
}

/** A value, or the reason why there is none, for people. */
export type Reading<T> = { readonly value: T } | { readonly reason: string };

/** One way to find out one figure. It may throw: that is a reason too. */
export interface Reader<T> {
  /** As people know it: `/proc/meminfo`, `nvidia-smi`. */
  readonly source: string;
  read(context: SampleContext): Reading<T> | Promise<Reading<T>>;
}

/** The first reader that has the figure; the others with their reasons. */
export interface ReadFigure<T> {
  readonly value: T | null;
  readonly source: FigureSource;
}

/** Asks the readers in order of trust until one has a value. Never rejects. */
export async function readFirst<T>(
  figure: string,
  readers: readonly Reader<T>[],
  context: SampleContext,
  deadline: Deadline,
): Promise<ReadFigure<T>> {
  const passedOver: { source: string; reason: string }[] = [];
  for (const reader of readers) {
    const reading = await attempt(reader, context, deadline);
    if ('value' in reading) {
      return { value: reading.value, source: { figure, source: reader.source, passedOver } };
    }
    passedOver.push({ source: reader.source, reason: reading.reason });
  }
  return { value: null, source: { figure, source: null, passedOver } };
}

/**
 * A reader's answer, or the reason why there is none: its fault or, with a deadline, that it hangs. Those of
 * GPUs have a patience of their own.
 */
export async function attempt<T>(
  reader: Reader<T>,
  context: SampleContext,
  deadline: Deadline | null,
): Promise<Reading<T>> {
  if (stuck.has(reader)) return { reason: NO_ANSWER };
  try {
    const reading = reader.read(context);
    if (deadline === null || !('then' in reading)) return await reading;
    const answer = await Promise.race([reading, deadline.timedOut]);
    if (answer !== TIMED_OUT) return answer;
    stuck.add(reader);
    const free = (): unknown => stuck.delete(reader);
    reading.then(free, free);
    return { reason: NO_ANSWER };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

const NO_ANSWER = `it has not answered for ${ANSWER_WITHIN_MS / 1000} s`;
