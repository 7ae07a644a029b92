import type { SpeedRange } from '@mai/memory-ledger';
import type { CallOptions } from '../control/autopilot-service.js';
import type { HostError } from '../host-error.js';
import type { RuntimeError } from '../runtime/runtime-error.js';

/** The models to measure, and the lengths of prompts and answers. */
export interface BenchRequest {
  /**
   * Model keys. Empty, the default: the loaded models, or else the best model that fits and two of other sizes. Of these, none is
   * begun after three minutes.
   */
  readonly modelKeys?: readonly string[];
  /** Words of the longest prompt, about as many tokens. Default 512. */
  readonly promptWords?: number;
  /** Maximum number of generated tokens of an answer. Default 64. */
  readonly generatedTokens?: number;
  /** Longest time for one model, with its load, in milliseconds. Default 180,000. */
  readonly modelTimeoutMs?: number;
}

/** Options of a benchmark. */
export interface BenchOptions extends CallOptions {
  /** Called with what is done now and the share that is done, 0 to 1. */
  readonly onProgress?: (step: { readonly modelKey: string; readonly ratio: number }) => void;
}

/** A measured figure beside its predictions. */
export interface BenchFigure {
  readonly measured: number;
  /** The prediction before the measurement; null where nothing was known. */
  readonly before: SpeedRange | null;
  /** The prediction for the same question after the measurement. */
  readonly after: SpeedRange | null;
}

/** The speeds of one model. A figure that was not measured is null. */
export interface BenchResult {
  readonly modelKey: string;
  /** Generated tokens per second. */
  readonly decode: BenchFigure | null;
  /** Tokens per second of the longest prompt. */
  readonly prompt: BenchFigure | null;
  /** Milliseconds of the load; null where the model was loaded before. */
  readonly load: BenchFigure | null;
  /**
   * Share of the CPU that other programs used before or after the answers, 0 to 1; null where it is not known. The larger it is, the less the
   * figures count for predictions.
   */
  readonly othersCpuRatio: number | null;
  /** Why the model could not be measured to the end; null where it was. */
  readonly failure: HostError | RuntimeError | null;
}
