import type { CandidateProfile } from '@mai/autopilot';

/** The memory, load time and quality of one way to load a model. */
export interface SimulatedLoadOption {
  /** The whole size. It is in RAM where there is no GPU with memory of its own. */
  readonly footprintBytes: number;
  /** The part of the size that is on GPUs with memory of their own. */
  readonly vramBytes: number;
  /** 0 to 1. */
  readonly quality: number;
}

/** A model of a simulation, as configured. */
export interface SimulatedModel extends SimulatedLoadOption {
  readonly profile: CandidateProfile;
  readonly loadMs: number;
  /**
   * The first cheaper load options, the largest first. The autopilot tries no further options, because
   * their size is unknown.
   */
  readonly cheaperLoadOptions: readonly SimulatedLoadOption[];
}

/**
 * The load options of a model, as configured first. Their indexes are the `loadOptionIndex` of a
 * simulation.
 */
export function loadOptionsOf(model: SimulatedModel): readonly SimulatedLoadOption[] {
  return [model, ...model.cheaperLoadOptions];
}
