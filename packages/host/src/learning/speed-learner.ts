import type { LoggedPrediction, ResidentInstance } from '@mai/lmstudio-adapter';
import type { MeasuredAnswer } from '../serving/serving.js';
import type { SpeedSubject } from '../speeds/speed-subject.js';

/** Learns the speeds of the runtime's machine from answers and loads. */
export interface SpeedLearner {
  /** The model, load and machine that decide a resident's speed; null where it is on another device of LM Link, or not known. */
  subjectOf(instanceIdentifier: string): Promise<SpeedSubject | null>;
  /** Learns from an answer. Never rejects. */
  answered(answer: MeasuredAnswer): Promise<void>;
  /**
   * Learns from an answer in LM Studio's log, which any client may have asked for. The log does not say how much of the
   * prompt was in the cache, so only the speed of the generated tokens is learned. Never rejects.
   */
  logged(prediction: LoggedPrediction): Promise<void>;
  /** Learns from a load. Never rejects. */
  loaded(instance: ResidentInstance, tookMs: number): Promise<void>;
}
