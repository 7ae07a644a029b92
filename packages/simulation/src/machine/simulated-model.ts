import type { CandidateProfile } from '@mai/autopilot';

/** The memory, load time and quality of one way to load a model. */
export interface SimulatedLoadOption {
  /** The size in RAM and on GPUs together. All of it is in RAM where no GPU has memory of its own. */
  readonly footprintBytes: number;
  /** The part of `footprintBytes` that is on GPUs with memory of their own. */
  readonly vramBytes: number;
  /** Quality of the answers, 0 to 1. */
  readonly quality: number;
}

/** A model of a simulation, as configured. */
export interface SimulatedModel extends SimulatedLoadOption {
  readonly profile: CandidateProfile;
  readonly loadMs: number;
  /**
   * Cheaper load options, in the order in which the autopilot tries them. The autopilot does not try further
   * options, because their size is unknown.
   */
  readonly cheaperLoadOptions: readonly SimulatedLoadOption[];
}

/**
 * How a model takes further RAM after its load. Engines do this when they keep the prompts of earlier
 * requests.
 */
export interface SimulatedGrowth {
  /** The most that the model may grow by, according to its footprint. */
  readonly mostBytes: number;
  /** The most that the model really grows by. */
  readonly reachedBytes: number;
  /** Growth with each answered request, until `reachedBytes` are reached. */
  readonly bytesPerRequest: number;
}

/**
 * The load options of a model. The configured load option is the first. `loadOptionIndex` is an index into this
 * list.
 */
export function loadOptionsOf(model: SimulatedModel): readonly SimulatedLoadOption[] {
  return [model, ...model.cheaperLoadOptions];
}
