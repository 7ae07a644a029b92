import type { LoggedPrediction, ResidentInstance } from '@mai/lmstudio-adapter';
import type { SpeedSubject } from '../speeds/speed-subject.js';

/** The times of an answer. It holds neither prompt nor text. */
export interface MeasuredAnswer {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  /** The computed tokens of the prompt; null where it was not measured. */
  readonly prompt: { readonly tokens: number; readonly ms: number } | null;
  /** The generated tokens after the first one, and their time; null where the time was not measured. */
  readonly output: { readonly tokens: number; readonly ms: number } | null;
  /** Tokens in the context before the first generated token. */
  readonly depthTokens: number;
}

/** The share of the CPU that other programs used during an answer, 0 to 1; null where it is not known. */
export type OthersReading = () => Promise<number | null>;

/** Learns the speeds of the runtime's machine from answers and loads. */
export interface SpeedLearner {
  /** The model, load and machine that decide a resident's speed; null where it is on another device of LM Link, or not known. */
  subjectOf(instanceIdentifier: string): Promise<SpeedSubject | null>;
  /**
   * Learns from an answer. Never rejects.
   *
   * @param readOthersRatio - called where the answer is stored. Default: reads what other programs use now
   */
  answered(answer: MeasuredAnswer, readOthersRatio?: OthersReading): Promise<void>;
  /**
   * Learns from an answer in LM Studio's log, which any client may have asked for. The log does not say how much of the
   * prompt was in the cache, so only the speed of the generated tokens is learned. Never rejects.
   */
  logged(prediction: LoggedPrediction): Promise<void>;
  /** Learns from a load. Never rejects. */
  loaded(instance: ResidentInstance, tookMs: number): Promise<void>;
}
