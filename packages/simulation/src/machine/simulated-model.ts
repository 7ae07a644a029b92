import type { CandidateProfile } from '@mai/autopilot';

/** What one way to load a model takes, and what it is worth. */
export interface SimulatedLoadOption {
  /** All of it; taken from RAM where there is no GPU with memory of its own. */
  readonly footprintBytes: number;
  /** The part of it that GPUs with memory of their own hold. */
  readonly vramBytes: number;
  /** 0 to 1. */
  readonly quality: number;
}

/** A model of a simulation, as configured. */
export interface SimulatedModel extends SimulatedLoadOption {
  readonly profile: CandidateProfile;
  readonly loadMs: number;
  /**
   * What its first cheaper load options take, the dearest first. The autopilot tries no others: their size
   * is not known.
   */
  readonly cheaperLoadOptions: readonly SimulatedLoadOption[];
}

/** The load options of a model, as configured first. Their indexes are the `loadOptionIndex` of a simulation. */
export function loadOptionsOf(model: SimulatedModel): readonly SimulatedLoadOption[] {
  return [model, ...model.cheaperLoadOptions];
}
