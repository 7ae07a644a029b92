import type { Deadline } from '../ports/race.js';
import { TIMED_OUT } from '../ports/race.js';
import { messageOf } from '../resource-monitor-error.js';
import type { FigureSource, PassedOver } from '../snapshot.js';

/**
 * Deadline of one reading. Files answer in microseconds and programs have shorter deadlines of their own,
 * so a reader that takes longer hangs in a driver.
 */
export const ANSWER_WITHIN_MS = 5000;
/**
 * Readers whose last reading is still unanswered. They are skipped until they answer, so that a hanging reader
 * delays only one sample.
 */
const stuck = new WeakSet<object>();

/**
 * The sample that a reading is for. Each sample has a new object. Readers that share a program run the program
 * once for each object.
 */
export interface SampleContext {
  readonly startedMs: number;
  /**
   * False for a single snapshot. Readers then start no program that answers later, and read no counter that
   * needs a second sample.
   */
  readonly continuing: boolean;
}

/**
 * A value, or the reason why it is missing, as a text for people. A value can also have reasons. They tell why
 * parts of the value are null or were not counted.
 */
export type Reading<T> =
  | { readonly value: T; readonly reasons?: readonly string[] }
  | { readonly reason: string; readonly cause?: PassedOver['cause'] };

/** One way to read one figure. A thrown error counts as the reason why the value is missing. */
export interface Reader<T> {
  /** The name shown to people, such as `/proc/meminfo` or `nvidia-smi`. */
  readonly source: string;
  read(context: SampleContext): Reading<T> | Promise<Reading<T>>;
}

/** A figure from the first reader that has it, with the reasons why earlier readers do not have it. */
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
  const passedOver: PassedOver[] = [];
  for (const reader of readers) {
    const reading = await attempt(reader, context, deadline);
    passedOver.push(...passedOverBy(reader.source, reading));
    if ('value' in reading)
      return { value: reading.value, source: { figure, source: reader.source, passedOver } };
  }
  return { value: null, source: { figure, source: null, passedOver } };
}

/** The reasons of one reading, as an entry of `sources` has them. */
export function passedOverBy(source: string, reading: Reading<unknown>): readonly PassedOver[] {
  return 'reason' in reading
    ? [{ source, reason: reading.reason, cause: reading.cause ?? null }]
    : (reading.reasons ?? []).map((reason) => ({ source, reason, cause: null }));
}

/**
 * Reads once. An error or a missed deadline becomes a reason. `deadline` is null for GPU readers, which have
 * deadlines of their own.
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
    const release = (): unknown => stuck.delete(reader);
    reading.then(release, release);
    return { reason: NO_ANSWER };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

const NO_ANSWER = `no answer within ${ANSWER_WITHIN_MS / 1000} s`;

/** Runs `action` once per sample and gives every reader of that sample the same result. */
export function oncePerSample<T>(
  action: (context: SampleContext) => T,
): (context: SampleContext) => T {
  let last: { context: SampleContext; result: T } | null = null;
  return (context) => {
    if (last?.context !== context) last = { context, result: action(context) };
    return last.result;
  };
}
