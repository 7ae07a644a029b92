/** The results of a policy on a trace. Times are in milliseconds. */
export interface SimulationMetrics {
  readonly durationMs: number;
  /** Changes from one model or load option to another. The first load does not count. */
  readonly switches: number;
  /** Switches that began while a pool was over its hard limit. */
  readonly emergencySwitches: number;
  readonly switchesPerHour: number;
  /** Switches in opposite directions within the cool-down, without emergencies. */
  readonly flaps: number;
  /** Time with a pool over its hard limit. */
  readonly overloadedMs: number;
  /** The part of `overloadedMs` that unloading every model at the next observation would have avoided. */
  readonly avoidableOverloadedMs: number;
  /** Number of stretches of time in which programs and models needed more of a pool than it has. */
  readonly outOfMemoryEvents: number;
  /**
   * Number of `outOfMemoryEvents` that unloading every model at the next observation would have avoided.
   */
  readonly avoidableOutOfMemoryEvents: number;
  /**
   * The longest stretch in which a pool was out of memory although others alone would have fitted. It
   * starts when memory ran out, so it includes one observation interval that can't be avoided.
   */
  readonly longestAvoidableOutOfMemoryMs: number;
  /** Unloads of an instance that was answering requests. */
  readonly busyEvictions: number;
  /** The part of `busyEvictions` during which no pool was out of memory. */
  readonly busyEvictionsWithMemoryLeft: number;
  /** Requests that found no model ready, or lost the model that answered them. */
  readonly droppedRequests: number;
  /** Time without a model that is ready. */
  readonly noModelMs: number;
  /**
   * Integral over time of the quality of the model that is ready. Time counts until a pool has been over
   * its limit for the dwell; for the last model of the chain the hard limit holds instead.
   */
  readonly qualityMs: number;
  readonly timeByModelMs: Readonly<Record<string, number>>;
  /**
   * How often `mai` asked LM Studio for the loaded instances. 0 for other policies, which read the
   * simulation.
   */
  readonly runtimeQueries: number;
}
